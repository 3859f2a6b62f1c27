"""The guide that adds a feed, from a sample zip to a mended quarantine."""

from tests.docs.pages import Page


def test_guide_leads_from_a_sample_to_rows_and_from_a_refusal_to_a_mended_rule(tmp_path):
    page = Page("guides/add-a-feed.md", tmp_path)
    page.run()

    _, dry_run = page.answers_to("feed", "dry-run")
    assert [(zip_["state"], zip_["rows_quarantined"]) for zip_ in dry_run["zips"]] == [("loaded", 0)]
    referrals, reasons, last = (answer["rows"] for answer in page.answers_to("sql"))
    assert [row[0] for row in referrals] == [f"R-{7001 + n}" for n in range(6)]
    assert sum(row[1] for row in reasons) == 9
    before, after = page.answers_to("quarantine", "list")
    assert sum(entry["rows"] for entry in before["entries"]) == 2
    assert {entry["state"] for entry in after["entries"]} == {"resolved"}
    assert last == [
        ["R-7001", "closed", "2026-03-20"],
        ["R-7003", "open", None],
        ["R-7004", "open", "2026-03-23"],
        ["R-7005", "open", "2026-03-24"],
        ["R-7006", "open", "2026-03-25"],
    ]
    assert page.answers_to("feed", "disable")[0]["inserted"]
