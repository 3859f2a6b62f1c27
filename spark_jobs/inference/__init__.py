"""Proposes rules from sample zips, for a person to edit: no Spark, nothing of the data in what is proposed.

    proposal = propose(paths, feed="visits")     # raises LakeError where no zip can be read
    proposal.feed, proposal.targets, proposal.notes
    feed_yaml(proposal), target_yaml(proposal, name)

`peek` looks at some members of each zip, `layout` says how they are read (`delimited`, `fixed`, `xml`), `columns` what is in
them (`values`), `keys` what makes a row the same row, `privacy` what says something about a patient, `written` makes YAML.
"""

from spark_jobs.inference.propose import Proposal, propose
from spark_jobs.inference.written import feed_yaml, target_yaml

__all__ = ["Proposal", "feed_yaml", "propose", "target_yaml"]
