"""An edition as PDF, to be printed or sent."""

from __future__ import annotations

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch, mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    Image,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
)
from reportlab.platypus.tables import LongTable, TableStyle

from spark_jobs.reports import fonts
from spark_jobs.reports.charts import Drawing
from spark_jobs.reports.edition import Column, Edition
from spark_jobs.reports.fonts import BOLD, REGULAR, drawable
from spark_jobs.reports.wording import cut_note, freshness, show, shown_rows

INK, SOFT, LINE, BAND, MARK = (HexColor(f"#{code}") for code in ("1d2a30", "5b6b73", "d5dcdf", "f4f7f7", "1b6b72"))
MARGIN = 16 * mm
LARGEST, READABLE, SMALLEST = 8.5, 7.5, 6.5  # points, of the table's text
PADDING = 4.5


def as_pdf(edition: Edition, drawings: Sequence[Drawing]) -> bytes:
    """The pages: what it is, the charts, the table, how fresh the data are, the checks."""
    fonts.register()
    stream = io.BytesIO()
    size = A4 if _is_narrow(edition, A4[0] - 2 * MARGIN) else landscape(A4)
    document = SimpleDocTemplate(
        stream, pagesize=size, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=f"{edition.report.title}, {edition.day}", author=edition.report.owner, invariant=1,
    )  # fmt: skip
    width = size[0] - 2 * MARGIN
    story = [
        *_head(edition),
        *_charts(drawings, width, size[1] - 2 * MARGIN),
        *_table(edition, width),
        *_facts(edition),
    ]
    foot = _footer(f"{edition.report.title}, {edition.day}")
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return stream.getvalue()


def _style(size: float) -> ParagraphStyle:
    return ParagraphStyle("", fontName=REGULAR, fontSize=size, leading=size * 1.4, textColor=INK)


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(drawable(text)), style)


def _head(edition: Edition) -> list[Flowable]:
    report = edition.report
    owner = f"{report.owner} answers for this report. " if report.owner else ""
    head: list[Flowable] = [
        _text(report.title, ParagraphStyle("", fontName=BOLD, fontSize=20, leading=25, textColor=INK)),
        _text(edition.long_day, _style(12)),
        _text(f"{owner}Report {report.report}, revision {report.revision}.", _soft()),
        HRFlowable(width="100%", thickness=2, color=MARK, spaceBefore=6, spaceAfter=8),
    ]
    if report.description:
        head.append(_text(" ".join(report.description.split()), _style(9.5)))
    return head


def _soft() -> ParagraphStyle:
    return ParagraphStyle("", fontName=REGULAR, fontSize=8, leading=12, textColor=SOFT)


def _heading(text: str) -> Paragraph:
    return _text(
        text, ParagraphStyle("", fontName=BOLD, fontSize=11, leading=14, textColor=INK, spaceBefore=14, spaceAfter=5)
    )


def _charts(drawings: Sequence[Drawing], width: float, height: float) -> list[Flowable]:
    """Each chart with its title on one page, as large as it was drawn or as the page lets it be."""
    parts: list[Flowable] = []
    for drawing in drawings:
        scale = min(1.0, width / (drawing.width * inch), (height - 60) / (drawing.height * inch))
        picture = Image(
            io.BytesIO(drawing.png), drawing.width * inch * scale, drawing.height * inch * scale, hAlign="LEFT"
        )
        parts.append(KeepTogether([_heading(drawing.title), picture]))
    return parts


def _table(edition: Edition, width: float) -> list[Flowable]:
    count = f"{len(edition.rows):,} {'row' if len(edition.rows) == 1 else 'rows'}"
    parts: list[Flowable] = [CondPageBreak(1.5 * inch), _heading(count)]
    if note := cut_note(edition):
        parts.append(_text(note, _soft()))
    texts = _texts(edition)
    size, widths = _fit(edition.columns, texts, width)
    cells = [
        [_cell(text, column, size, wide) for text, column, wide in zip(row, edition.columns, widths, strict=True)]
        for row in texts
    ]
    heads = [_cell(drawable(c.heading), c, size, 0, BOLD) for c in edition.columns]
    table = LongTable([heads, *cells], colWidths=widths, repeatRows=1, hAlign="LEFT")
    table.setStyle(_look(edition.columns, size, edition.totals is not None))
    return [*parts, table]


def _is_narrow(edition: Edition, width: float) -> bool:
    """Whether the table fits on an upright page, in letters that are read with ease."""
    return sum(_needs(edition.columns, _texts(edition), READABLE)) <= width


def _texts(edition: Edition) -> list[list[str]]:
    """The rows of the table, that with the totals among them."""
    totals = [[show(value) if value is not None else "" for value in edition.totals]] if edition.totals else []
    return [[drawable(cell) for cell in row] for row in [*shown_rows(edition), *totals]]


def _cell(text: str, column: Column, size: float, width: float, font: str = REGULAR) -> str | Paragraph:
    """The text itself where it fits into its column, else a paragraph, which is slower and breaks lines."""
    if stringWidth(text, font, size) <= width - 2 * PADDING:
        return text
    style = ParagraphStyle("", fontName=font, fontSize=size, leading=size * 1.25, textColor=INK)
    if column.is_numeric:
        style.alignment = TA_RIGHT
    return Paragraph(escape(text), style)


def _fit(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: float) -> tuple[float, list[float]]:
    """The size of the text, and widths of the columns: as wide as they need, else texts are given less and broken."""
    size, needs = LARGEST, _needs(columns, rows, LARGEST)
    while sum(needs) > width and size > SMALLEST:
        size -= 0.5
        needs = _needs(columns, rows, size)
    surplus = sum(needs) - width
    if surplus > 0:
        texts = [n for n, column in enumerate(columns) if not column.is_numeric] or [*range(len(columns))]
        of_texts = sum(needs[n] for n in texts)
        for n in texts:
            needs[n] = max(needs[n] - surplus * needs[n] / of_texts, 24.0)
    return size, needs


def _needs(columns: Sequence[Column], rows: Sequence[Sequence[str]], size: float) -> list[float]:
    heads = [max(stringWidth(word, BOLD, size) for word in column.heading.split()) for column in columns]
    longest = [max((stringWidth(row[n], BOLD, size) for row in rows), default=0.0) for n in range(len(columns))]
    return [max(pair) + 2 * PADDING + 1 for pair in zip(heads, longest, strict=True)]


def _look(columns: Sequence[Column], size: float, has_totals: bool) -> TableStyle:
    last = -2 if has_totals else -1
    look = [
        ("FONT", (0, 0), (-1, -1), REGULAR, size, size * 1.25),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        ("VALIGN", (0, 1), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("ROWBACKGROUNDS", (0, 1), (-1, last), [None, BAND]),
        ("LINEBELOW", (0, 1), (-1, last), 0.4, LINE),
        ("LINEBELOW", (0, 0), (-1, 0), 1.2, INK),
        *(("ALIGN", (n, 0), (n, -1), "RIGHT") for n, column in enumerate(columns) if column.is_numeric),
    ]
    if has_totals:
        look += [("LINEABOVE", (0, -1), (-1, -1), 1.2, INK), ("FONT", (0, -1), (-1, -1), BOLD, size, size * 1.25)]
    return TableStyle(look)


def _facts(edition: Edition) -> list[Flowable]:
    small = _style(9)
    fresh = [_text(f"{one.feed}: {freshness(one)}", small) for one in edition.delivered]
    checks = [_text(check, small) for check in edition.checks]
    parts: list[Flowable] = [KeepTogether([_heading("How fresh the data are"), *fresh])] if fresh else []
    return [*parts, KeepTogether([_heading("Checks"), *checks]), Spacer(0, 0)]


def _footer(text: str):  # type: ignore[no-untyped-def]
    def draw(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont(REGULAR, 7.5)
        canvas.setFillColor(SOFT)
        canvas.drawString(MARGIN, 9 * mm, drawable(text))
        canvas.drawRightString(document.pagesize[0] - MARGIN, 9 * mm, f"page {document.page}")

    return draw
