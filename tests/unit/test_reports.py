"""Editions as files: what people and spreadsheets read, the same bytes each time, nothing run that was delivered as text."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from lxml import etree, html

from spark_jobs.reports.charts import draw_all, summed
from spark_jobs.reports.edition import Delivered, Edition, columns_of, heading_of
from spark_jobs.reports.files import read_note, write_edition
from spark_jobs.reports.fonts import drawable
from spark_jobs.reports.wording import MOST_SHOWN, show
from spark_jobs.rules.charts import parse_chart
from spark_jobs.rules.model import Report

REPORT = Report(
    "beds", 3, "Beds & <units>", "SELECT 1", headings={"changed_since": "Reported since"}, totals=("beds",),
    charts=("stack beds, free by unit", "bars beds by unit", "lines beds by day"),
    outputs=("csv", "xlsx", "html", "pdf"), owner="beds@carelake.example", description="All <b>beds</b>.",
)  # fmt: skip
COLUMNS = (
    ("unit", "string"), ("day", "date"), ("beds", "bigint"), ("free", "int"), ("busy_percent", "decimal(5,1)"),
    ("stay_hours", "double"), ("changed_since", "timestamp"), ("is_open", "boolean"),
)  # fmt: skip
MOMENT = datetime(2026, 2, 11, 9, 30, 15, tzinfo=UTC)
ROWS = (
    ("=HYPERLINK(1)", date(2026, 2, 10), 1200, 3, Decimal("99.5"), 12.25, MOMENT, True),
    ("<script>alert(1)</script>", date(2026, 2, 11), 30, None, None, None, None, None),
    ("Süd $1$ 集", date(2026, 2, 11), -5, 7, Decimal("0.0"), 0.0, MOMENT, False),
)


def edition(rows=ROWS, **changes):
    report = replace(REPORT, **changes)
    delivered = (Delivered("bed_census", MOMENT, 2), Delivered("encounters", None, 0, is_late=True))
    return Edition(report, date(2026, 2, 11), columns_of(report, COLUMNS), rows, delivered, ("3 rows.",))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_edition(edition(), tmp_path_factory.mktemp("reports"))


def sheet(path, number):
    """The texts of a sheet's cells, whether they stand in it or in the list of shared ones; formulas would be elements f."""
    with zipfile.ZipFile(path) as book:
        shared = [text.xpath("string()") for text in etree.fromstring(book.read("xl/sharedStrings.xml"))]
        root = etree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    assert not root.findall(".//{*}f")
    cells = root.iter("{*}c")
    return [shared[int(c.findtext("{*}v"))] if c.get("t") == "s" else c.findtext("{*}v") for c in cells]


def test_csv_is_for_machines_and_holds_no_formula(files):
    assert files["csv"].read_text().splitlines() == [
        "unit,day,beds,free,busy_percent,stay_hours,changed_since,is_open",
        "'=HYPERLINK(1),2026-02-10,1200,3,99.5,12.25,2026-02-11T09:30:15+00:00,true",
        "<script>alert(1)</script>,2026-02-11,30,,,,,",
        "Süd $1$ 集,2026-02-11,-5,7,0.0,0.0,2026-02-11T09:30:15+00:00,false",
    ]


def test_page_says_what_a_reader_needs_and_escapes_what_was_delivered(files):
    text = files["html"].read_text()
    page = html.fromstring(text)
    assert "<script" not in text
    assert page.findtext(".//h1") == "Beds & <units>"
    assert page.xpath("string(.//p[@class='day'])") == "Wednesday, 11 February 2026"
    said = page.text_content()
    for part in (
        "All <b>beds</b>.",
        "beds@carelake.example answers for this report. Report beds, revision 3.",
        "bed_census: last zip landed 2026-02-11 09:30 UTC; 2 zips loaded",
        "encounters: no zip loaded in the 31 days before",
    ):
        assert part in said
    assert [head.text for head in page.iter("th")] == [
        *("Unit", "Day", "Beds", "Free", "Busy, %", "Stay, h", "Reported since", "Is open")
    ]
    cells = [cell.text for cell in page.xpath("//tbody/tr[2]/td")]
    assert cells == ["<script>alert(1)</script>", "2026-02-11", "30", *["\u2013"] * 5]
    assert [cell.text for cell in page.xpath("//tfoot//td")][:3] == ["Total", None, "1,225"]
    assert len(page.findall(".//svg")) == 3


def test_workbook_has_table_charts_and_what_there_is_to_know(files):
    cells = sheet(files["xlsx"], 1)
    assert {"Beds & <units>", "Busy, %", "=HYPERLINK(1)", "1200", "Total"} <= set(cells)
    assert "Stay, h" in cells
    assert "no zip loaded in the 31 days before" in sheet(files["xlsx"], 3)
    with zipfile.ZipFile(files["xlsx"]) as book:
        assert len([name for name in book.namelist() if name.startswith("xl/media/")]) == 3


def test_pdf_has_its_fonts_with_it(files):
    content = files["pdf"].read_bytes()
    assert content.startswith(b"%PDF")
    assert b"DejaVuSans" in content


def test_the_same_edition_gives_the_same_bytes(files, tmp_path):
    again = write_edition(edition(), tmp_path)
    assert {kind: path.read_bytes() for kind, path in again.items()} == {k: p.read_bytes() for k, p in files.items()}
    assert (tmp_path / "beds-2026-02-11.json").read_bytes() == files["csv"].with_suffix(".json").read_bytes()


def test_a_later_revision_takes_away_files_that_it_does_not_have(tmp_path):
    write_edition(edition(), tmp_path)
    write_edition(edition(revision=4, outputs=("csv",)), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beds-2026-02-11.csv", "beds-2026-02-11.json"]
    note = read_note(tmp_path, "beds-2026-02-11")
    assert (note["revision"], note["rows"], note["late"]) == (4, 3, ["encounters"])
    assert note["feeds"] == {"bed_census": MOMENT.isoformat(), "encounters": None}


def test_an_edition_that_was_not_written_to_its_end_has_no_note(tmp_path, monkeypatch):
    monkeypatch.setattr("spark_jobs.reports.files.write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_edition(edition(outputs=("csv",)), tmp_path)
    assert read_note(tmp_path, "beds-2026-02-11") is None
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_edition_without_rows_is_a_page_all_the_same(tmp_path):
    files = write_edition(edition(rows=()), tmp_path)
    assert "0 rows" in files["html"].read_text()
    assert files["pdf"].stat().st_size > 1000


def test_more_rows_than_anyone_reads_are_left_to_the_sheets(tmp_path):
    many = tuple((f"unit {n}", *ROWS[0][1:]) for n in range(MOST_SHOWN + 5))
    files = write_edition(edition(rows=many, outputs=("csv", "html", "pdf")), tmp_path)
    assert f"The first {MOST_SHOWN:,} of 1,005 rows; all are in the CSV beside this page." in files["html"].read_text()
    assert len(files["csv"].read_text().splitlines()) == 1_006


def test_charts_sum_up_rows_with_one_label():
    rows = [("b", date(2026, 2, 11), 5, 1, *ROWS[1][4:]), *ROWS[:1], ("b", date(2026, 2, 9), 6, None, *ROWS[1][4:])]
    one = edition(rows=tuple(rows))
    assert summed(one, parse_chart("stack beds, free by unit")) == (
        ["=HYPERLINK(1)", "b"],
        [[1200.0, 11.0], [3.0, 1.0]],
    )
    days, [beds] = summed(one, parse_chart("lines beds by day"))
    assert days == [date(2026, 2, 9), date(2026, 2, 10), date(2026, 2, 11)]
    assert beds == [6.0, 1200.0, 5.0]


def test_charts_say_in_words_what_they_draw_and_what_they_leave_out():
    many = tuple((f"unit {n:02}", date(2026, 2, 11), n, 1, *ROWS[1][4:]) for n in range(30))
    first, second, _ = draw_all(edition(rows=many))
    assert first.title == "Beds and free by unit: the 24 largest, 6 more are in the table"
    assert second.title == "Beds by unit: the 24 largest, 5 more are in the table"  # one is 0
    assert first.png.startswith(b"\x89PNG")
    assert etree.parse(io.BytesIO(first.svg.encode())).getroot().tag.endswith("svg")


def test_charts_with_nothing_to_show_are_left_out():
    none = tuple((f"unit {n}", date(2026, 2, 11), 0, None, *ROWS[1][4:]) for n in range(3))
    assert draw_all(edition(rows=none)) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"), (-1, "\u22121"), (Decimal("1234.50"), "1,234.50"), (0.25, "0.2"), (None, "\u2013"), ("", "\u2013"),
        (True, "yes"), (MOMENT, "2026-02-11 09:30 UTC"), (date(2026, 2, 11), "2026-02-11"), ("text", "text"),
    ],
)  # fmt: skip
def test_values_are_shown_as_people_write_them(value, text):
    assert show(value) == text


def test_headings_are_made_of_names_with_their_units():
    assert heading_of("median_stay_hours") == "Median stay, h"
    assert heading_of("occupancy_percent") == "Occupancy, %"
    assert heading_of("days") == "Days"


def test_characters_that_the_font_lacks_are_marked():
    assert drawable("Süd µ 集") == "Süd µ \ufffd"


def test_a_note_is_json_that_other_programs_read(files):
    note = json.loads(files["csv"].with_suffix(".json").read_text())
    assert set(note["sha256"]) == {"csv", "xlsx", "html", "pdf"}
