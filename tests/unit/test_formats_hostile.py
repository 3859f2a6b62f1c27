"""Thousands of zips, documents, texts and values gone wrong: none crashes, hangs, fills memory, is lost or is quoted."""

import csv
import io
import random
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark_jobs.archives import ZipError
from spark_jobs.formats import Rows, read_zip, type_columns
from tests.unit.hostile import FEED, FLOODS, SECTIONS, flood
from tests.unit.zips import outcomes, read, refused, told, zip_of

SECRET = "Zq7x"  # short, so that most mutations leave some whole
MEMBERS = {
    "0.xml": b"""<?xml version="1.0"?><Doc id="Zq7xZq7x" count="7" price="1.50" size="2e3" born="2026-01-02"
        at="2026-01-02 10:00" done="Y"><Name>Zq7x &amp; Zq7x</Name></Doc>""",
    "1.xml": b'<Doc id="Zq7x" count="Zq7x" price="Zq7x" born="Zq7x"><!-- Zq7x --><Name><![CDATA[Zq7x]]></Name></Doc>',
    "2.many": b"<D>Zq7x<E><e>Zq7x</e></E><E><e/><e>Zq7x</e></E></D>",
    "3.csv": b'a,b\nZq7x,1\n"Zq7x\n""z""",2\nw,Zq7x\n,Zq7x\n',
    "4.txt": b"Zq7x\n67\nZq7xZq7x\n",
}
WHOLE = zip_of(*MEMBERS.items())
SPLINTERS = "< > / \" ' & <!-- --> <![CDATA[ ]]> <? ?> : = xmlns='b' &#0; &Zq7x; <!DOCTYPE_Zq7x> </Doc> <Doc> , ; \\ PK \uffff é"
PIECES = [*SPLINTERS.encode().split(), b"\0", b"\x01", b"\xff", b"\xff\xfe", b"\r", b"\n", b"\r\n", b" ", b"Zq7x", b"1"]
PATIENT = settings(deadline=timedelta(seconds=3), suppress_health_check=[HealthCheck.too_slow])
ROOT = Path(__file__).parents[2]
BOUND = 450 << 20  # bytes that reading bad input may take beyond what reading good input does
LONGEST = 60  # seconds of a core for all of a batch of bad input: a clock would judge what else the machine does
HANGS = 10 * LONGEST

changes = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 5), st.one_of(st.sampled_from(PIECES), st.binary(max_size=6))),
    min_size=1,
    max_size=4,
)
words = st.text(max_size=20).filter(lambda text: escape(text).isprintable())
values = st.one_of(words, st.from_regex(r"\A[-+]?[0-9.,eE:/ -]{1,30}\Z"), st.just("")).map(lambda text: SECRET + text)


def changed(data, these):
    data = bytearray(data)
    for place, length, new in these:
        at = place % (len(data) + 1)
        data[at : at + length] = new
    return bytes(data)


def read_all(content):
    """Rows and summary, every member in one outcome and nothing quoted."""
    rows, summary = read(content, FEED)
    outcomes(rows, summary)
    assert SECRET not in told(rows, summary)
    return rows, summary


@settings(PATIENT, max_examples=1000)
@given(st.dictionaries(st.sampled_from(sorted(MEMBERS)), changes, min_size=1, max_size=3))
def test_changed_members_have_one_outcome_and_leave_the_others_alone(which):
    members = {name: changed(data, which.get(name, [])) for name, data in MEMBERS.items()}
    rows, summary = read_all(zip_of(*members.items()))
    good, _ = read_all(WHOLE)
    for rule, found in good.items():
        kept = [row for row in found if row["_member"] not in which]
        assert [row for row in rows.get(rule, []) if row["_member"] not in which] == kept
    assert {event.member for event in summary.quarantined} <= set(which)


@settings(PATIENT, max_examples=400)
@given(st.sampled_from(sorted(MEMBERS)), changes, st.integers(1, 40))
def test_changed_members_read_as_streams_have_the_outcome_of_whole_ones(name, these, chunk):
    content = zip_of((name, changed(MEMBERS[name], these)))
    rows, summary = read_all(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spark_jobs.formats.text.LARGE", 0)
        patch.setattr("spark_jobs.formats.text.CHUNK", chunk)
        patch.setattr("spark_jobs.formats.xml_large.ROWS_AT_ONCE", 1)
        streamed, its_summary = read_all(content)
    assert {rule: sorted(map(str, found)) for rule, found in streamed.items()} == {
        rule: sorted(map(str, found)) for rule, found in rows.items()
    }
    assert refused(its_summary) == refused(summary)


@settings(PATIENT, max_examples=800)
@given(changes)
def test_changed_zips_are_refused_or_have_one_outcome_a_member(these):
    try:
        read_all(changed(WHOLE, these))
    except ZipError as error:
        assert error.rule.startswith("zip.")
        assert SECRET not in str(error)


@settings(PATIENT, max_examples=400)
@given(st.lists(st.tuples(values, values, values, values, values, values, values), min_size=1, max_size=5))
def test_values_of_any_kind_are_kept_or_refused_without_being_quoted(records):
    names = ("count", "price", "size", "born", "at", "done")
    documents = [f"<Doc id={quoteattr(key)} {' '.join(map(attribute, names, others))}/>" for key, *others in records]
    table = io.StringIO()
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *(record[:2] for record in records)])
    members = [(f"{number}.xml", body.encode()) for number, body in enumerate(documents)]
    rows, summary = read_all(zip_of(*members, ("t.csv", table.getvalue().encode())))
    assert summary.quarantined == ()
    assert [row["id"] for row in rows["doc"]] == [record[0].strip() for record in records]
    assert [(row["a"], row["b"]) for row in rows["line"]] == [(a.strip(), b.strip()) for a, b, *_ in records]
    assert {row[name] for row in rows["doc"] for name in names} == {None}


def attribute(name, text):
    return f"{name}={quoteattr(text)}"


def test_bad_input_takes_little_memory_and_time(tmp_path):
    """In a process of its own, whose memory at its highest is asked of the system."""
    rng = random.Random(7)
    contents = [case.make() for inputs in SECTIONS.values() for case in inputs]
    contents += [changed(WHOLE, [(rng.randrange(10**6), rng.randrange(6), rng.randbytes(4))]) for _ in range(500)]
    contents += [flood(name, 3) for name in FLOODS]
    for number, content in enumerate(contents):
        (tmp_path / f"{number:04d}.zip").write_bytes(content)
    program = "import sys; from tests.unit.test_formats_hostile import costs; print(*costs(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, timeout=HANGS, check=True, cwd=ROOT
    )
    memory, seconds = map(float, done.stdout.split())
    assert memory < BOUND
    assert seconds < LONGEST


def costs(folder):
    """What a folder of bad input takes: bytes beyond those that good input has taken at the most, and seconds of a core."""
    drain(WHOLE)
    before, began = highest(), time.process_time()
    for path in sorted(Path(folder).iterdir()):
        drain(path.read_bytes())
    return highest() - before, time.process_time() - began


def drain(content):
    """Read and type all, as a batch does: no more is held than what is given at a time."""
    columns = {rule.member: rule.columns for rule in FEED.readers}
    with suppress(ZipError):
        for item in read_zip(content, replace(FEED, limits=replace(FEED.limits, max_ratio=10**6)), {}):
            if isinstance(item, Rows):
                type_columns(item.table, columns[item.rule])


def highest():
    # Not getrusage: its figure starts from that of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
