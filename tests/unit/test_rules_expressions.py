import pytest

from spark_jobs.rules.calls import FUNCTIONS
from spark_jobs.rules.expressions import check_expression, references

COLUMNS = ["amount", "born_on", "code", "facility_id", "paid", "seen_at", "state"]

ACCEPTED = {
    "substr(facility_id, 1, 2)": {"facility_id"},
    "cast(year(born_on) as string)": {"born_on"},
    "cast(amount as decimal(12,2)) % 3": {"amount"},
    "(unix_seconds(seen_at) - unix_seconds(born_on)) div 3600": {"seen_at", "born_on"},
    "case when amount > 1 then 'a' when paid is null then 'b' else code end": {"amount", "paid", "code"},
    "if(state = 'x' or not paid <=> amount, 1, null)": {"state", "paid", "amount"},
    "state not in ('A', 'B') and code not like 'Z%'": {"state", "code"},
    r"code rlike '^\\d{3}$'": {"code"},
    "regexp_extract(code, '([A-Z])', 1)": {"code"},
    "regexp_replace(code, '[^a-z]', '')": {"code"},
    "date_format(born_on, 'yyyy-MM')": {"born_on"},
    "to_date(code, 'yyyyMMdd') between date '2020-01-01' and born_on": {"code", "born_on"},
    "coalesce(nullif(trim(code), ''), lpad(state, 4, '0')) || upper(facility_id)": {"code", "state", "facility_id"},
    "greatest(abs(round(amount, 2)), length(code), datediff(born_on, seen_at))": {
        "amount",
        "code",
        "born_on",
        "seen_at",
    },
    "state = 'it\\'s'": {"state"},
    "State = 'mixed case is one column'": {"state"},
    "unix_micros(seen_at) >= 0": {"seen_at"},
    "true": set(),
}


@pytest.mark.parametrize(("text", "columns"), ACCEPTED.items())
def test_known_functions_and_operators_are_allowed(text, columns):
    assert check_expression(text, COLUMNS) == []
    assert references(text) == columns


FORBIDDEN_CALLS = ["reflect('a', 'b')", "java_method('a', 'b')", "current_timestamp()", "now()", "rand()", "uuid()"]
FORBIDDEN_CALLS += ["count(code)", "sum(amount)", "input_file_name()", "from_json(code, 'a int')", "exists(code)"]
FORBIDDEN_CALLS += [
    "monotonically_increasing_id()",
    "current_user()",
    "raise_error('x')",
    "explode(code)",
    "xpath(code)",
]


@pytest.mark.parametrize("text", FORBIDDEN_CALLS)
def test_a_function_not_listed_is_refused(text):
    name = text.split("(")[0]
    assert f"the function {name} is not allowed" in check_expression(text, COLUMNS)[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(select max(amount) from lake.bed)", "not allowed"),
        ("(select 1)", "must be one value of a row"),
        ("sum(amount) over (partition by code)", "not allowed"),
        ("lower(code) over (order by code)", "not allowed"),
        ("transform(code, x -> x)", "functions of functions"),
        ("*", "must be one value of a row"),
        ("code, state", "cannot be parsed"),
        ("code as other", "must be one value of a row"),
        ("code; drop table x", "one expression only"),
        ("code -- rest", "comments"),
        ("code /* rest */", "comments"),
        ("`code`", "needs no quotes"),
        ('"code"', "single quotes"),
        ("lake.bed", "'.'"),
        ("code[0]", "'['"),
        ("${code}", "'$'"),
        ("state = r'x'", "prefix r"),
        ("state = 'it''s'", "two texts in a row"),
        ("state = 'open", "not closed"),
        ("code) or (state", "closes nothing"),
        ("((code)", "not closed"),
        ("(" * 60 + "code" + ")" * 60, "nested more than"),
        ("amount +", "cannot be parsed"),
        ("  ", "characters"),
        ("code = '" + "x" * 5000 + "'", "characters"),
        ("substr(code)", "takes 2 to 3 arguments, not 1"),
        ("abs()", "takes 1 arguments, not 0"),
        ("interval 1 day", "no column interval"),
        ("current_date", "no column current_date"),
        ("cast(code as binary)", "no column binary"),
        ("date '2026-02-30'", "no date"),
        ("day '2026'", "operator or comma is missing"),
    ],
)
def test_what_reaches_beyond_the_row_or_means_two_things_is_refused(text, says):
    assert says in " ".join(check_expression(text, COLUMNS))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("code rlike state", "must be a text between single quotes"),
        ("regexp_extract(code, '(', 1)", "no regular expression"),
        ("code rlike '(a+)+'", "take for ever"),
        (r"code rlike '^\d+$'", r"write \\d"),
        ("code rlike '(?P<x>a)'", "Java knows no"),
        ("date_format(born_on, 'foo')", "may use yyyy"),
        ("to_date(code, state)", "must be a text between single quotes"),
    ],
)
def test_a_pattern_that_would_fail_the_batch_is_refused(text, says):
    assert says in " ".join(check_expression(text, COLUMNS))


def test_an_unknown_column_is_refused_with_the_nearest_name():
    assert check_expression("stat = 'x'", COLUMNS) == ["there is no column stat to refer to; did you mean state?"]


def test_a_refused_expression_refers_to_nothing():
    assert references("reflect(code)") == set()


@pytest.mark.parametrize(
    "text", ["amount", "state = 'x'", "not (paid is null)", "code rlike 'x'", "if(true, true, false)"]
)
def test_a_condition_may_be_a_check(text):
    assert check_expression(text, COLUMNS, condition=True) == []


@pytest.mark.parametrize("text", ["amount + 1", "upper(code)", "'true'", "1"])
def test_a_value_is_no_condition(text):
    assert check_expression(text, COLUMNS, condition=True) == ["it must be a condition, true or false"]


def test_no_listed_function_depends_on_time_chance_or_place():
    assert not {name for name in FUNCTIONS if name.startswith(("current", "rand", "uuid", "input", "java", "reflect"))}
