"""The XML text of an encounter: what the rules read, amid what a real sender adds."""

from __future__ import annotations

# Elements that the rules read come as whole fragments, so that an oddity or a fault can replace or drop each. The rest
# is what real documents hold besides, with names that a careless path would confuse with the ones above.
DOCUMENT = """%(declaration)s<Encounter id=%(id)s schemaVersion="2.4"%(namespaces)s>
  <Header>
    <MessageId>%(message_id)s</MessageId>
    <Sender software="CareBridge" version="7.2.%(build)s"><Status>final</Status></Sender>
  </Header>
  <Facility%(facility)s><Name>%(hospital)s General Hospital</Name><Phone>555-01%(build)s</Phone></Facility>
  <Patient%(mrn)s>
    %(name)s
    %(birth)s
    %(sex)s
    <Contact><Address use="home">%(address)s</Address><Phone>555-%(phone)s</Phone></Contact>
    <MaritalStatus code="M"/>
  </Patient>
  %(status)s
  %(class)s
  %(location)s
  <Timeline>
    <Event code="triage" by="%(audit_1)s"/>
    <Event code="review" by="%(audit_2)s"/>
  </Timeline>
  %(admitted)s
  %(discharged)s
  %(updated)s
  %(reason)s
  %(attending)s
  <CareTeam><Member role="nurse"><Name>Team %(build)s</Name></Member></CareTeam>
  %(payer)s
  %(charges)s
  %(readmission)s
  <VitalSigns>%(vitals)s
  </VitalSigns>
  <History><Encounter id="%(earlier)s"><Status>discharged</Status></Encounter></History>
  <Consent signed="true"><Digest algorithm="sha1">%(digest)s</Digest></Consent>
  <Routing priority="routine"><Hop name="edge-%(build)s">%(hop)s</Hop></Routing>
</Encounter>
"""

VITAL_SIGN = """
    <VitalSign%(no)s%(code)s>
      %(display)s
      %(value)s
      <Device>%(device)s</Device>
      %(taken)s
    </VitalSign>"""


def render(slots: dict[str, str], vitals: list[dict[str, str]]) -> str:
    """The document of an encounter."""
    slots["vitals"] = "".join([VITAL_SIGN % vital for vital in vitals])
    return DOCUMENT % slots
