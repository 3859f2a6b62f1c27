"""XML paths with predicates and namespaces: which elements they lead to, whole and streamed."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_jobs.formats.xml_fast import FastReader
from spark_jobs.formats.xml_rules import make_ready
from spark_jobs.rules.model import Column, Member
from tests.unit.zips import feed_of, read, zip_of

HL7 = {"": "urn:hl7-org:v3", "xsi": "http://www.w3.org/2001/XMLSchema-instance"}


def columns(*sources):
    return tuple(Column(f"c{number}", source=source, trim=False) for number, source in enumerate(sources))


def parent(*sources, **more):
    rule = {"pattern": "*", "format": "xml", "record_path": "/D", "target": "t", "columns": columns(*sources), **more}
    return Member("doc", **rule)


def child(record_path, *sources, name="kid", position=1, **more):
    rule = {"parent": "doc", "record_path": record_path, "target": "k", "columns": columns(*sources), **more}
    return Member(name, position, **rule)


def found(body, *rules):
    """Texts of the rows by rule, in their order."""
    rows, summary = read(zip_of(("x", body)), feed_of(*rules))
    assert summary.quarantined == ()
    return {rule.member: [[row[c.name] for c in rule.columns] for row in rows.get(rule.member, [])] for rule in rules}


def texts(body, *sources):
    return found(body, parent(*sources))["doc"][0]


BODY = b"""<D><i r='1' e='one'/><i r='2' e='two'/><i r='2' e='late'/>
  <s><c v='x'/><n>first</n><t> a </t></s><s><c v='q'/><c v='y'/><n>second</n><t>b</t><t>c</t></s></D>"""


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("i[@r='2']/@e", "two"),  # the first that it holds for
        ("i[@e='late'][@r='2']/@e", "late"),
        ("i[@e='late'][@r='1']/@e", None),
        ("s[c/@v='y']/n", "second"),  # any of the elements that the path in the predicate leads to
        ("s[t='a']/n", "first"),  # white space at both ends of what is compared does not count
        ("s[t='c']/n", "second"),
        ("s[t='c']/c[@v='y']/@v", "y"),
        ("s[n='first']/t", " a "),
        ("s[@r='1']/n", None),
        ("s[x/y='1']/n", None),
        ("i[@r='2']", None),
    ],
)
def test_a_predicate_chooses_among_elements_of_one_name(source, text):
    assert texts(BODY, source) == [text]


def test_paths_with_and_without_predicates_do_not_disturb_each_other():
    sources = ["i/@e", "i[@r='2']/@e", "s/n", "s[c/@v='y']/n", "s[c/@v='y']/t", "s/t", "i[@r='2']/@r"]
    assert texts(BODY, *sources) == ["one", "two", "first", "second", "b", " a ", "2"]


def test_children_are_chosen_by_a_code_and_keep_their_order():
    body = b"""<D id='7'><s><c v='x'/><e n='1'><o/></e><e n='2' k='m'/></s><s><c v='y'/><e n='3'/></s>
      <s><c v='x'/><e n='4' k='m'/></s></D>"""
    rules = (
        child("s[c/@v='x']/e", "@n"),
        child("s[c/@v='x']/e[@k='m']", "@n", "$parent.c0", "$row", name="some", position=2),
        child("s[c/@v='y']/e", "@n", name="other", position=3),
        child("s/e", "@n", name="every", position=4),
    )
    rows = found(body, parent("@id"), *rules)
    assert rows["kid"] == [["1"], ["2"], ["4"]]
    assert rows["some"] == [["2", "7", "1"], ["4", "7", "2"]]
    assert rows["other"] == [["3"]]
    assert rows["every"] == [["1"], ["2"], ["3"], ["4"]]


def test_the_default_namespace_is_for_elements_and_never_for_attributes():
    body = b"""<D xmlns='urn:hl7-org:v3' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:h='urn:hl7-org:v3' id='1'
      h:id='no'><o:v xmlns:o='urn:other' value='no'/><v h:value='no' value='0' xsi:type='CD'/><h:v value='2' xsi:type='PQ'/></D>"""
    rule = parent("@id", "v/@value", "v[@xsi:type='PQ']/@value", "v/@xsi:type", namespaces=HL7)
    assert found(body, rule)["doc"] == [["1", "0", "2", "CD"]]
    plain = body.replace(b" xmlns='urn:hl7-org:v3'", b"")
    _, summary = read(zip_of(("x", plain)), feed_of(rule))
    assert [event.rule for event in summary.quarantined] == ["member.empty"]


def test_a_child_uses_the_namespaces_of_its_parent():
    body = b"<D xmlns='urn:hl7-org:v3'><k><n v='1'/></k></D>"
    kid = child("k[n/@v='1']", "n/@v", "x:n/@v", namespaces={"x": "urn:hl7-org:v3"})
    assert found(body, parent("@id", namespaces=HL7), kid)["kid"] == [["1", "1"]]


@pytest.mark.parametrize(
    "rules",
    [
        (parent("A[@a='1']/B"),),
        (parent("A"), child("Ks/K[@a='1']", "A")),
        (parent("A"), child("Ks/K", "A[B='1']")),
        (parent("A", namespaces={"": "urn:x"}),),
    ],
)
def test_rules_with_predicates_or_namespaces_are_read_exactly(rules):
    assert not FastReader.fits(make_ready(rules[0], feed_of(*rules)))


def test_predicates_hold_for_the_records_of_a_large_member_too(monkeypatch):
    record = b"<E id='%d'><s><c v='x'/><e n='1'/><e n='2'/></s><s><c v='y'/><e n='3'/></s></E> tail"
    body = b"<D xmlns='urn:hl7-org:v3'><other/>%b</D>" % b"".join(record % number for number in range(40))
    rules = (
        parent("@id", "s[c/@v='y']/e/@n", "$row", record_path="/D/E", namespaces=HL7),
        child("s[c/@v='x']/e", "@n", "$parent.c0", "$row"),
    )
    small = found(body, *rules)
    assert small["doc"][39] == ["39", "3", "40"]
    assert small["kid"][79] == ["2", "39", "80"]
    monkeypatch.setattr("spark_jobs.formats.text.LARGE", 0)
    monkeypatch.setattr("spark_jobs.formats.xml_large.ROWS_AT_ONCE", 7)
    assert found(body, *rules) == small


def test_the_first_element_counts_though_the_text_is_read_of_another_of_its_name():
    assert texts(b"<D><b>1</b><b x='1'>1</b></D>", "b/@x", "a/b") == [None, None]


LEAF = st.builds(
    ElementTree.Element, st.sampled_from("ab"), st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"))
)


def grown(elements):
    def grow(element, text, children):
        copy = ElementTree.fromstring(ElementTree.tostring(element))
        copy.text = text
        copy.extend(children)
        return copy

    return st.builds(grow, LEAF, st.sampled_from(["1", "2", " 1 ", None]), st.lists(elements, max_size=4))


STEPS = st.builds(
    str.__add__,
    st.sampled_from("ab"),
    st.sampled_from(["", "", "[@x='1']", "[a='1']", "[a/@y='2']", "[b/a='2']", "[@x='1'][b/@x='1']"]),
)
PATHS = st.builds(str.__add__, st.lists(STEPS, min_size=1, max_size=3).map("/".join), st.sampled_from(["", "/@x"]))


def led_to(element, path):
    """What a path leads to, one step after the other, as the documentation has it."""
    if not path:
        return [element]
    name, predicates, rest = re.match(r"(\w)((?:\[.*?\])*)/?(.*)", path).groups()
    return [
        end
        for one in element.findall(name)
        if all(holds(one, *predicate) for predicate in re.findall(r"\[(.*?)='(.)'\]", predicates))
        for end in led_to(one, rest)
    ]


def holds(element, path, value):
    return any(text is not None and text.strip() == value for text in values(element, path))


def values(element, path):
    way, attribute = re.fullmatch(r"(.*?)/?(?:@(\w))?", path).groups()
    return [end.get(attribute) if attribute else end.text for end in led_to(element, way)]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.recursive(LEAF, grown, max_leaves=25), max_size=5), st.lists(PATHS, min_size=1, max_size=6, unique=True)
)
def test_paths_lead_where_a_plain_reading_leads(elements, paths):
    document = ElementTree.Element("D")
    document.extend(elements)
    firsts = [next(iter(values(document, path)), None) for path in paths]
    assert texts(ElementTree.tostring(document), *paths) == [text or None for text in firsts]
