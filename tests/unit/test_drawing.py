"""Plots: well-formed SVG that says its values."""

from __future__ import annotations

from xml.etree import ElementTree

from spark_jobs.cli.bench.drawing import Bar, draw_bars, draw_lines

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_as_long_as_their_values():
    root = ElementTree.fromstring(
        draw_bars("A & B", "files", {"one": [Bar("cold", 1500, 1400, 1600)], "two": [Bar("cold", 750, 750, 750)]})
    )
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"A & B", "one", "two", "cold", "1,500", "750", "files"} <= set(texts)
    widths = [float(rect.get("width")) for rect in root.iter(f"{SVG}rect") if rect.get("height") == "14"]
    assert widths[0] == 2 * widths[1]


def test_lines_stay_within_the_axes():
    root = ElementTree.fromstring(draw_lines("Backlog", "minutes", "zips", {"landed": [(0, 0), (3, 42), (7, 1)]}))
    line = root.find(f"{SVG}polyline").get("points").split()
    places = [tuple(map(float, place.split(","))) for place in line]
    assert len(places) == 3
    assert all(0 < x < float(root.get("width")) and 0 < y < float(root.get("height")) for x, y in places)
