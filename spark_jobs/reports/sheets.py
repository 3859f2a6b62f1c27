"""An edition as CSV for machines, and as an Excel workbook for people who go on calculating."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from spark_jobs.reports.charts import Drawing
from spark_jobs.reports.edition import Edition, Value
from spark_jobs.reports.wording import freshness, sheet_format, show

# Spreadsheets take a text that begins so for a formula, and would run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST_WIDTH = 60
HEAD = 4  # rows above the table


def as_csv(edition: Edition) -> bytes:
    """UTF-8, a header with the names of the columns, moments in ISO 8601, nothing for a missing value.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in edition.columns])
    writer.writerows([_plain(value) for value in row] for row in edition.rows)
    return stream.getvalue().encode()


def as_xlsx(edition: Edition, drawings: Sequence[Drawing]) -> bytes:
    """A sheet with the table, one with the charts, one with what there is to know of it."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    made = datetime.combine(edition.day, time())
    book.set_properties({"title": edition.report.title, "author": edition.report.owner, "created": made})
    _write_table(book, book.add_worksheet("Table"), edition)
    if drawings:
        _write_charts(book, book.add_worksheet("Charts"), drawings)
    _write_notes(book, book.add_worksheet("About"), edition)
    book.close()
    return stream.getvalue()


def _plain(value: Value) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _write_table(book: xlsxwriter.Workbook, sheet: Worksheet, edition: Edition) -> None:
    sheet.write_string(0, 0, edition.report.title, book.add_format({"bold": True, "font_size": 16}))
    sheet.write_string(1, 0, edition.long_day)
    sheet.write_string(2, 0, edition.report.owner)
    bottom = len(edition.rows)
    for place, column in enumerate(edition.columns):
        align = "right" if column.is_numeric else "left"
        head = book.add_format({"bold": True, "bottom": 2, "align": align, "valign": "bottom", "text_wrap": True})
        cell = book.add_format({"num_format": sheet_format(column), "align": align, "valign": "top"})
        foot = book.add_format({"num_format": sheet_format(column), "align": align, "bold": True, "top": 2})
        sheet.write_string(HEAD, place, column.heading, head)
        for number, row in enumerate(edition.rows):
            _write(sheet, HEAD + 1 + number, place, row[place], cell)
        if edition.totals:
            _write(sheet, HEAD + 1 + bottom, place, edition.totals[place], foot)
        longest = max((len(show(row[place])) for row in edition.rows), default=0)
        widest_word = max(len(word) for word in column.heading.split())
        sheet.set_column(place, place, min(max(longest, widest_word, 8) + 3, MOST_WIDTH))
    sheet.freeze_panes(HEAD + 1, 1)
    if edition.rows:
        sheet.autofilter(HEAD, 0, HEAD + bottom, len(edition.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD)


def _write(sheet: Worksheet, row: int, column: int, value: Value, style: object) -> None:
    """Writes a value by its type: a text is never taken for a formula or an address."""
    if value is None:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, style)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None), style)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, datetime.combine(value, time()), style)
    else:
        sheet.write_number(row, column, float(value), style)


def _write_charts(book: xlsxwriter.Workbook, sheet: Worksheet, drawings: Sequence[Drawing]) -> None:
    sheet.hide_gridlines(2)
    bold, row = book.add_format({"bold": True}), 0
    for drawing in drawings:
        sheet.write_string(row, 0, drawing.title, bold)
        # Its pixels a printed inch are in the picture; Excel sets it in that size.
        sheet.insert_image(
            row + 1, 0, "chart.png", {"image_data": io.BytesIO(drawing.png), "description": drawing.title}
        )
        row += 3 + int(drawing.height * 72 / 15)  # rows are 15 points high


def _write_notes(book: xlsxwriter.Workbook, sheet: Worksheet, edition: Edition) -> None:
    report = edition.report
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "valign": "top"})
    facts = [
        ("What it shows", report.description.strip()),
        ("Report", f"{report.report}, revision {report.revision}"),
        ("Owner", report.owner),
        *((f"Feed {one.feed}", freshness(one)) for one in edition.delivered),
        *(("Check", check) for check in edition.checks),
    ]
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    for row, (what, text) in enumerate(facts):
        sheet.write_string(row, 0, what, bold)
        sheet.write_string(row, 1, text, wrapped)
