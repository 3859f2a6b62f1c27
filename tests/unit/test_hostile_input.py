"""Bad input of every kind has the outcome that docs/reference/hostile-input.md names, and never stops the rest."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from spark_jobs.archives import ZipError
from spark_jobs.batches.account import account_refused
from spark_jobs.batches.batch import Batch
from spark_jobs.batches.parse import ZipContext, ZipReader
from spark_jobs.landing.agent import DeliveryNote
from spark_jobs.landing.claim import Manifest, group_by_feed
from tests.unit.hostile import FEED, GOOD, SECTIONS
from tests.unit.zips import outcomes, read

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "hostile-input.md"
INPUTS = [one for section in SECTIONS.values() for one in section]
NEIGHBOURS = {"first.xml", "last.csv"}


@pytest.mark.parametrize("case", INPUTS, ids=lambda case: case.what)
def test_a_bad_input_has_its_outcome_and_its_neighbours_are_loaded(case):
    content = case.make()
    if case.outcome.startswith("zip."):
        with pytest.raises(ZipError) as caught:
            read(content, FEED)
        assert caught.value.rule == case.outcome
        return
    rows, summary = read(content, FEED)
    by_member = outcomes(rows, summary)
    theirs = {name: found for (_, name), found in by_member.items() if name in NEIGHBOURS}
    assert theirs == {name: {"loaded"} for name in NEIGHBOURS}
    bad = {rule for (_, name), found in by_member.items() if name not in NEIGHBOURS for rule in found}
    if case.outcome in ("ignored", "no member"):
        assert (bad, summary.ignored > 0) == (set(), case.outcome == "ignored")
    else:
        assert (bad, summary.ignored) == ({case.outcome}, 0)


def test_a_zip_that_no_feed_takes_is_accounted_for():
    note = DeliveryNote("z", "f", "other.zip", "a" * 64, 1, "2026-01-01T00:00:00+00:00")
    groups = group_by_feed([note], [replace(FEED, landing_folder="elsewhere")])
    assert list(groups) == [None]
    batch = Batch(Manifest("b", 1, None, 0, {}, tuple(groups[None])), Path(), None, {})
    assert [account_refused(z).rule for z in batch.refused] == ["zip.no_feed"]


@pytest.mark.parametrize(
    ("sha256", "refusal", "rule"), [("0" * 64, None, "zip.hash"), (None, "no time", "zip.extract_time")]
)
def test_a_zip_with_other_bytes_or_no_time_is_not_opened(sha256, refusal, rule, tmp_path):
    rows = read_in_a_task(tmp_path, {"z": b"zip"}, sha256=sha256, refusal=refusal)
    assert [(row["_kind"], row["_failures"].partition(":")[0], row["_members"]) for row in rows] == [("_zip", rule, 0)]


def test_bad_zips_do_not_stop_the_others_of_their_batch(tmp_path):
    contents = [content for case in SECTIONS["Zips"] for content in (case.make(), GOOD)]
    ids = [str(number) for number in range(len(contents))]
    rows = read_in_a_task(tmp_path, dict(zip(ids, contents, strict=True)))
    told = {row["_zip_id"]: (row["_failures"] or "loaded").partition(":")[0] for row in rows if row["_kind"] == "_zip"}
    assert told == dict.fromkeys(ids, "loaded") | {
        ids[2 * number]: case.outcome for number, case in enumerate(SECTIONS["Zips"])
    }
    assert {row["_zip_id"] for row in rows if row["_kind"] == "doc"} == {one for one in ids if told[one] == "loaded"}


def read_in_a_task(folder, zips, sha256=None, refusal=None):
    """What a task that reads `zips`, content by id, gives out."""
    contexts = []
    for zip_id, content in zips.items():
        (folder / zip_id).write_bytes(content)
        contexts.append(ZipContext(folder / zip_id, zip_id, sha256 or sha(content), "", {}, refusal))
    task = pa.RecordBatch.from_pydict({"id": [1]})
    return [row for out in ZipReader(FEED, [[], contexts])([task]) for row in out.to_pylist()]


def sha(content):
    return hashlib.sha256(content).hexdigest()


def documented():
    """(section, input, outcome) of each line of the page's tables."""
    section = ""
    for line in PAGE.read_text("utf-8").splitlines():
        section = line.removeprefix("## ") if line.startswith("## ") else section
        cells = re.fullmatch(r"\| (.*) \| (.*) \|", line)
        if cells and not cells[1].startswith(("input", "-")):
            yield section, cells[1], cells[2].replace("`", "")


def test_the_page_lists_every_input_and_its_outcome():
    elsewhere = [
        ("Zips", "A name or a folder that no feed takes", "zip.no_feed"),
        ("Zips", "Other bytes than those that the landing agent hashed", "zip.hash"),
        ("Zips", "A time in its name that does not exist", "zip.extract_time"),
    ]
    expected = [(section, one.what, one.outcome) for section, inputs in SECTIONS.items() for one in inputs]
    assert sorted(documented()) == sorted([*expected, *elsewhere])


def test_every_outcome_on_the_page_is_explained_in_the_reference():
    reference = (PAGE.parent / "outcomes.md").read_text("utf-8")
    assert "hostile-input.md" in reference
    for _, _, outcome in documented():
        kind = re.sub(r"(type|required)\..*", r"\1.<column>", outcome)
        assert kind == "no member" or f"`{kind}`" in reference, outcome


def test_every_rule_of_the_reference_that_refuses_has_an_input_on_the_page():
    reference = (PAGE.parent / "outcomes.md").read_text("utf-8")
    rules = set(re.findall(r"^\| `((?:zip|member|row)\.\w+)`", reference, re.MULTILINE))
    assert rules - {outcome for _, _, outcome in documented()} == set()
