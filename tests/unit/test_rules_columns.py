"""What `check_feed` refuses about columns: names, types, sources, formats and expressions."""

from dataclasses import replace

import pytest

from spark_jobs.rules.model import Column
from tests.unit.rules_samples import CHILD, COLUMNS, FEED, MEMBER, XML, problems, with_columns, with_member

EXTRA = Column("extra", source="EXTRA")


def with_extra(member=MEMBER, **changes):
    return with_columns(replace(EXTRA, **changes), member=member)


@pytest.mark.parametrize("name", ["Extra", "_order", "_x", "two words", "order", "group", "1st", "naïve"])
def test_a_column_name_that_is_reserved_or_no_identifier_is_refused(name):
    assert "the name" in problems(with_extra(name=name))


def test_a_column_that_is_there_twice_is_refused():
    assert "column state is there twice" in problems(with_member(columns=(*COLUMNS, COLUMNS[-1])))


@pytest.mark.parametrize(
    "name", ["text", "decimal", "decimal(39,2)", "decimal(2,3)", "decimal(0,0)", "INT", "varchar(2)"]
)
def test_a_type_that_is_not_known_or_too_precise_is_refused(name):
    assert "type" in problems(with_extra(type=name))


@pytest.mark.parametrize("name", ["int", "long", "double", "boolean", "date", "timestamp", "decimal(38,38)"])
def test_a_known_type_is_allowed(name):
    assert problems(with_extra(type=name)) == ""


def test_a_column_from_nowhere_is_refused():
    assert "no source, no expression and no default" in problems(with_extra(source=None))


def test_a_constant_is_a_default_without_a_source():
    assert problems(with_extra(source=None, default="EUR")) == ""


def test_a_column_with_both_a_source_and_an_expression_is_refused():
    assert "both a source and an expression" in problems(with_extra(expression="upper(state)"))


def test_a_derived_column_with_a_format_is_refused():
    said = problems(with_extra(source=None, expression="state = 'x'", type="boolean", format="Y/N"))
    assert "are for columns read from a source" in said


def test_a_derived_column_may_refer_to_any_sourced_and_to_earlier_derived_ones():
    early = Column("early", expression="concat(late, region)")
    late = Column("late", source="LATE")
    assert problems(with_columns(early, late)) == ""


def test_a_derived_column_that_refers_to_itself_or_to_a_later_derived_one_is_refused():
    assert "there is no column extra" in problems(with_extra(source=None, expression="extra"))
    first, second = Column("first", expression="second"), Column("second", expression="state")
    assert "derived ones listed before" in problems(with_columns(first, second))


def test_an_expression_that_is_not_allowed_is_refused():
    assert "reflect is not allowed" in problems(with_extra(source=None, expression="reflect('a', 'b')"))


@pytest.mark.parametrize("source", ["@id", ".", "Patient/@mrn", "Patient/Name/Given", "$member", "$name.facility"])
def test_a_source_of_xml_is_a_path(source):
    assert problems(with_extra(XML, source=source)) == ""


@pytest.mark.parametrize("source", ["/Visit/@id", "//x", "a[1]", "a/../b", "a/@b/c", "text()", "*", "#1", ""])
def test_a_source_of_xml_that_is_no_path_is_refused(source):
    assert "is no path" in problems(with_extra(XML, source=source))


@pytest.mark.parametrize(
    "source",
    [
        "id[@root='1.2.3']/@extension",
        "section[code/@code='8716-3']/title",
        "Name[Use='legal']/Given",
        "a/b[@c='x/y[z]@:\"']/d[e/f='g h'][@i='j']/@k",
    ],
)
def test_a_step_may_have_predicates(source):
    assert problems(with_extra(XML, source=source)) == ""


@pytest.mark.parametrize(
    "source",
    "a[@b] a[@b=c] a[@b=\"c\"] a[@b=''] a[b] a[1='b'] [@a='b'] .[@a='b'] a[.='b'] a/@b[@c='d'] a[b[@c='d']='e']".split()
    + "a[@b/c='d'] a[@b='c' a[@b='c']b a[@b='c'].".split(),
)
def test_a_predicate_that_is_none_is_refused_with_the_forms_there_are(source):
    said = problems(with_extra(XML, source=source))
    assert "is no path" in said
    assert "a predicate is [@code='v']" in said


def test_a_long_source_that_is_no_path_is_refused_in_time():
    for part in ("a" * 9, "a:", "a/", "a[@b='c']", "a[b/c='d']"):
        assert "is no path" in problems(with_extra(XML, source=part * 3000 + "!"))


def test_prefixes_in_predicates_are_declared_too_and_their_texts_have_none():
    source = "value[h:code/@h:code='urn:oid:1']/@xsi:type"
    said = problems(with_extra(XML, source=source))
    assert "the prefix h in" in said
    assert "the prefix xsi in" in said
    assert "urn" not in said.replace(source, "")


@pytest.mark.parametrize("prefix", ["1", "a b", "h:", ":"])
def test_a_prefix_that_no_path_can_use_is_refused(prefix):
    assert "is no prefix" in problems(with_extra(replace(XML, namespaces={prefix: "urn:h"})))


def test_the_empty_prefix_is_the_default_namespace_and_a_namespace_is_not_empty():
    assert problems(with_extra(replace(XML, namespaces={"": "urn:h"}))) == ""
    assert "without a namespace" in problems(with_extra(replace(XML, namespaces={"h": " "})))


def test_the_row_number_fills_a_whole_number():
    assert problems(with_extra(source="$row", type="long")) == ""
    assert problems(with_extra(XML, source="$row", type="int")) == ""
    assert "$row fills a column of type int or long" in problems(with_extra(source="$row"))
    assert "known are" in problems(with_extra(source="$row.x", type="int"))


def test_a_prefix_that_is_not_declared_is_refused():
    assert "the prefix h in h:Patient/@h:id is not declared" in problems(with_extra(XML, source="h:Patient/@h:id"))
    declared = replace(XML, namespaces={"h": "urn:hl7-org:v3"})
    assert problems(with_extra(declared, source="h:Patient/@h:id")) == ""


def without_header():
    places = [replace(c, source=c.source and f"#{n}") for n, c in enumerate(COLUMNS, 1)]
    return replace(MEMBER, header=False, columns=tuple(places))


@pytest.mark.parametrize("source", ["EXTRA", "#0", "#", "3", "#1.5"])
def test_a_source_without_a_header_that_is_no_place_is_refused(source):
    assert "is no place" in problems(with_extra(without_header(), source=source))


def test_a_source_with_a_header_is_a_name_in_it():
    assert problems(with_extra(source="Any name, really")) == ""
    assert "the source is empty" in problems(with_extra(source=" "))


def fixed(*sources):
    ranges = [Column(f"c{n}", source=source) for n, source in enumerate(sources)]
    places = iter(["1-6", "7-18", "19-40", "41-41"])
    columns = [replace(c, source=next(places)) if c.source else c for c in COLUMNS]
    return with_columns(*ranges, member=replace(MEMBER, format="fixed", columns=tuple(columns)))


def test_ranges_in_order_are_allowed():
    assert problems(fixed("42-50", "60-60", "$member", "61-99")) == ""


@pytest.mark.parametrize("source", ["42", "50-42", "0-3", "a-b", "#1", "42 - 50"])
def test_a_range_of_characters_that_is_none_is_refused(source):
    assert "is no range" in problems(fixed(source))


@pytest.mark.parametrize("sources", [("42-50", "50-60"), ("52-60", "42-50"), ("42-60", "45-50")])
def test_ranges_that_overlap_or_are_out_of_order_are_refused(sources):
    assert "in order, without overlap" in problems(fixed(*sources))


@pytest.mark.parametrize("source", ["$facility", "$name", "$parent", "$member.x", "$extract_time.x", "$"])
def test_a_source_from_outside_that_is_not_known_is_refused(source):
    assert "known are $name.<part>" in problems(with_extra(source=source))


def test_a_part_that_the_name_pattern_lacks_is_refused():
    assert "no part named region: write (?P<region>...)" in problems(with_extra(source="$name.region"))


def test_the_extract_time_fills_a_timestamp_without_a_format():
    assert problems(with_extra(source="$extract_time", type="timestamp")) == ""
    assert "$extract_time fills a column of type timestamp" in problems(with_extra(source="$extract_time"))


def test_a_source_from_a_parent_needs_one_with_such_a_sourced_column():
    assert "needs a parent, and member visit has none" in problems(with_extra(source="$parent.visit_id"))
    for name in ("region", "nothing"):
        child = replace(CHILD, columns=(*CHILD.columns, replace(EXTRA, source=f"$parent.{name}")))
        assert f"visit has no column {name} that is read" in problems(replace(FEED, members=(XML, child)))


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("%Y-%m-%d %I", "has %I: known are"),
        ("%Y-%m-%d%", "has %: known are"),
        ("%Y-%m", "lacks %d"),
        ("%Y-%m-%d %M", "lacks %H"),
        ("%Y-%m-%d %H:%S", "lacks %M"),
        ("%Y%m%d%Y", "has %Y twice"),
        ("%Y%m%d%H%M%f%S", "ambiguous: %f reads 1 to 6 digits"),
        ("%Y-%m-%dT%H:%M:%S.%f0", "ambiguous"),
    ],
)
def test_a_pattern_that_is_unknown_incomplete_or_ambiguous_is_refused(pattern, says):
    assert says in problems(with_extra(type="timestamp", format=pattern))


@pytest.mark.parametrize(
    "pattern", ["%Y%m%d", "%m/%d/%Y", "%Y%m%d%H%M%S%f", "%Y-%m-%dT%H:%M:%S.%f%z", "%d.%m.%Y %H:%M"]
)
def test_a_complete_pattern_is_allowed(pattern):
    assert problems(with_extra(type="timestamp", format=pattern)) == ""


def test_a_date_with_an_offset_is_refused():
    assert "a date has no offset" in problems(with_extra(type="date", format="%Y-%m-%dT%H%z"))


@pytest.mark.parametrize("tokens", ["Y", "Y/N/U", "/N", "Y/", "Y,/N", ""])
def test_boolean_tokens_that_lack_a_side_are_refused(tokens):
    assert "true tokens/false tokens" in problems(with_extra(type="boolean", format=tokens))


def test_a_boolean_token_that_means_both_is_refused():
    assert "the token y of the format Y,1/N,y means both" in problems(with_extra(type="boolean", format="Y,1/N,y"))


def test_a_format_of_a_type_that_has_none_is_refused():
    assert "a format is for dates, timestamps and booleans" in problems(with_extra(type="int", format="%d"))


def test_a_zone_is_for_timestamps_and_exists():
    assert problems(with_extra(type="timestamp", zone="America/New_York")) == ""
    assert "a zone is for timestamps" in problems(with_extra(type="date", zone="UTC"))
    for zone in ("New York", "../etc/passwd", ""):
        assert "there is no time zone" in problems(with_extra(type="timestamp", zone=zone))


def test_a_zone_beside_an_offset_is_a_warning():
    assert "is never used" in problems(with_extra(type="timestamp", zone="UTC", format="%Y-%m-%dT%H%z"))


VALUES = {
    "string": ["EUR"],
    "int": ["1", "-2147483648"],
    "long": ["9223372036854775807"],
    "double": ["1.5", "-2e3", ".5"],
    "decimal(4,2)": ["12.3", "-99.99", "1.500"],
    "boolean": ["TRUE", "false"],
    "date": ["2026-02-28"],
    "timestamp": ["2026-02-28T10:00:00", "2026-02-28T10:00:00.5+01:00", "2026-02-28T10:00:00Z"],
}
NO_VALUES = {
    "string": [""],
    "int": ["", "1.0", "2147483648", "one"],
    "long": ["9223372036854775808"],
    "double": ["NaN", "1,5", "Infinity"],
    "decimal(4,2)": ["100", "1.234", "1e1"],
    "boolean": ["Y", "1"],
    "date": ["2026-02-30", "20260228", "2026-2-28"],
    "timestamp": ["2026-02-28", "2026-02-28T25:00:00", "now"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in VALUES.items() for text in texts])
def test_a_default_is_a_value_of_the_type(kind, text):
    assert problems(with_extra(type=kind, default=text)) == ""


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in NO_VALUES.items() for text in texts])
def test_a_default_that_is_no_value_of_the_type_is_refused(kind, text):
    assert f"the default {text!r} is no {kind}" in problems(with_extra(type=kind, default=text))


def test_a_default_is_written_as_the_source_would_write_it():
    assert problems(with_extra(type="date", format="%m/%d/%Y", default="02/28/2026")) == ""
    assert problems(with_extra(type="boolean", format="Y,1/N,0", default="n")) == ""
    assert "written as %m/%d/%Y" in problems(with_extra(type="date", format="%m/%d/%Y", default="2026-02-28"))


def test_an_empty_null_token_is_refused():
    assert "an empty null token is not needed" in problems(with_extra(null_tokens=("", "U")))
