"""The guide that adds a report, from a question to editions made on time."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.docs.pages import Page


def test_guide_leads_from_a_question_to_editions_that_people_read(tmp_path):
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    page = Page("guides/add-a-report.md", tmp_path)
    page.run()

    asked, inserted, table, _ = (answer["rows"] for answer in page.answers_to("sql"))
    assert inserted == []
    assert page.answers_to("report", "check")[0]["findings"] == []
    dry_run, made, back_fill, due = (answer["editions"] for answer in page.answers_to("report", "run"))
    assert "files" not in dry_run[0]
    assert [(one["report"], one["date"], one["late"]) for one in made] == [("payers", yesterday, [])]
    assert sorted(made[0]["files"]) == ["csv", "html", "pdf", "xlsx"]
    assert all(Path(path).stat().st_size for path in made[0]["files"].values())
    rows = list(csv.reader(Path(made[0]["files"]["csv"]).read_text().splitlines()))[1:]
    assert rows == [[payer, str(encounters), str(charges)] for payer, encounters, charges in asked]
    assert sorted(row[1] for row in table) == sorted(row[0] for row in asked)
    assert [one["date"] for one in back_fill] == ["2026-02-10", "2026-02-11", "2026-02-12"]
    listed = {row["report"]: row for row in page.answers_to("report", "list")[0]["reports"]}
    assert (listed["payers"]["revision"], listed["payers"]["schedule"]) == (2, "weekly")
    assert [(one["report"], one["rows"]) for one in due] == [("payers", len(asked))]
