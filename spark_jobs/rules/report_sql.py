"""The SQL of a report: its parameters, the tables it reads, and whether its rows could show single patients.

sqlglot parses it for these questions only; Spark gets the author's own text, with a literal where each marker stood.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.tokenizer_core import Token, TokenType

from spark_jobs.errors import RuleError

SCHEMAS = ("lake", "ops", "rules")
# The values of these may identify a patient, whatever the rules of a feed say.
IDENTIFYING = {"ops.ledger": {"name"}, "ops.quarantine": {"member"}}
IDENTIFYING_LAKE = {"_member"}
# Functions that reach beyond their arguments, or give another answer whenever they are asked.
REFUSED_FUNCTIONS = {"reflect", "java_method", "try_reflect", "monotonically_increasing_id", "spark_partition_id"}
_UNSTEADY = (
    *(exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.CurrentDatetime, exp.CurrentUser),
    *(exp.Rand, exp.Randn, exp.Uuid),
)
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")
# A count, or a comparison, says nothing of the value that it looks at.
_HIDES = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Predicate)


def bind(sql: str, values: Mapping[str, str]) -> str:
    """The SQL with a literal for each marker `:name`; raises RuleError for a marker without a value."""
    parts, end = [], 0
    for marker, name in _markers(sql):
        if name.text not in values:
            known = ", ".join(f":{known}" for known in sorted(values))
            raise RuleError("sql", f"the marker :{name.text} has no value", f"There are {known}.")
        parts += [sql[end : marker.start], _literal(values[name.text])]
        end = name.end + 1
    return "".join([*parts, sql[end:]])


def check_sql(sql: str, values: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the SQL of a report that is asked with `values`."""
    try:
        statements = _parse(bind(sql, values))
    except RuleError as error:
        yield f"its sql: {error.problem}. {error.hint}"
        return
    except SqlglotError as error:
        yield f"its sql cannot be parsed: {str(error).splitlines()[0]}"
        return
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        yield "its sql is not one SELECT: a report only reads"
        return
    query = statements[0]
    yield from _check_tables(query)
    yield from _check_calls(query)
    used = {name.text for _, name in _markers(sql)}
    yield from (f"the parameter {name} is not used in its sql" for name in sorted(set(values) - used - {"date"}))


def tables_read(sql: str) -> tuple[str, ...]:
    """The tables that bound, valid SQL reads, as `schema.name`, each once."""
    query = _parse(sql)[0]
    return tuple(sorted({f"{table.db}.{table.name}".lower() for table in query.find_all(exp.Table) if table.db}))


def check_privacy(sql: str, identifying: Collection[str]) -> Iterator[str]:
    """Why the rows of bound, valid SQL might show single patients; `identifying` names the columns that may do so."""
    scope = build_scope(_parse(sql)[0])
    assert scope is not None
    if not _is_aggregated(scope):
        yield "its rows are not aggregated: each could be of one patient"
    shown = sorted({name for output in _outputs(scope) for name in _reveals(scope, output, identifying)})
    yield from (f"it shows {name}, which may identify a patient" for name in shown)


@lru_cache(maxsize=1_000)
def _parse(sql: str) -> list[exp.Expr]:
    return [statement for statement in sqlglot.parse(sql, dialect="spark") if statement]


def _markers(sql: str) -> Iterator[tuple[Token, Token]]:
    """Colon and name of each marker. A colon after a name, as in `struct<a:int>`, is none."""
    try:
        tokens = sqlglot.tokenize(sql, read="spark")
    except SqlglotError:
        return  # parsing says what is wrong
    for colon, name in pairwise(tokens):
        beside_name = colon.start > 0 and (sql[colon.start - 1].isalnum() or sql[colon.start - 1] in "_`")
        if colon.token_type == TokenType.COLON and name.start == colon.end + 1 and not beside_name:
            yield colon, name


def _literal(value: str) -> str:
    if _NUMBER.fullmatch(value):
        return value
    try:
        return f"DATE'{date.fromisoformat(value).isoformat()}'"
    except ValueError:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"


def _check_tables(query: exp.Expr) -> Iterator[str]:
    named = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        known = (table.db in SCHEMAS and not table.catalog) or (table.name in named and not table.db)
        if not known or not isinstance(table.this, exp.Identifier):
            yield f"its sql reads {table.sql()}: write lake.<target table>, ops.<table> or rules.<table>"


def _check_calls(query: exp.Expr) -> Iterator[str]:
    if query.find(exp.QueryTransform):
        yield "its sql runs a program with TRANSFORM: a report only reads"
    for call in query.find_all(*_UNSTEADY):
        yield f"its sql calls {call.sql(dialect='spark')}, so that no edition could be made again: use :date"
    called = {call.name.lower() for call in query.find_all(exp.Anonymous)}
    yield from (f"its sql calls {name}, which a report may not" for name in sorted(called & REFUSED_FUNCTIONS))


def _is_aggregated(scope: Scope) -> bool:
    """Whether every row of lake tables that gets into the result does so within a group."""
    if scope.set_operation_scopes:
        return all(_is_aggregated(part) for part in scope.set_operation_scopes)
    select = scope.expression
    if isinstance(select, exp.Select) and (select.args.get("group") or any(map(_aggregates, select.selects))):
        return True
    sources = _sources(scope).values()
    of_lake = any(isinstance(source, exp.Table) and source.db == "lake" for source in sources)
    return not of_lake and all(_is_aggregated(source) for source in sources if isinstance(source, Scope))


def _aggregates(projection: exp.Expr) -> bool:
    return any(not isinstance(call.parent, exp.Window) for call in projection.find_all(exp.AggFunc))


def _outputs(scope: Scope) -> list[str]:
    """The names of a query's columns; `*` for all of its sources'."""
    while scope.set_operation_scopes:
        scope = scope.set_operation_scopes[0]
    selects: list[exp.Expr] = getattr(scope.expression, "selects", [])
    return ["*" if one.is_star else one.alias_or_name for one in selects]


def _reveals(scope: Scope, output: str, identifying: Collection[str]) -> Iterator[str]:
    """The identifying columns whose values get into a column of the result; in doubt, all that could."""
    if scope.set_operation_scopes:
        outputs = _outputs(scope)
        place = outputs.index(output) if output in outputs and "*" not in outputs else None
        for part in scope.set_operation_scopes:
            name = "*" if place is None or "*" in _outputs(part) else _outputs(part)[place]
            yield from _reveals(part, name, identifying)
        return
    if not isinstance(scope.expression, exp.Select):  # rows made of values, such as those of explode(...)
        yield from (c.name.lower() for c in scope.expression.find_all(exp.Column) if c.name.lower() in identifying)
        return
    selects = scope.expression.selects
    plain = [one for one in selects if not one.is_star]
    has_star = len(plain) < len(selects)
    named = [one for one in plain if one.alias_or_name == output]
    for one in named or ([] if has_star and output != "*" else plain):
        yield from _reveals_by(scope, one, identifying)
    if has_star and not named:
        for alias in _sources(scope):
            yield from _reveals_of(scope, alias, output, identifying)


def _reveals_by(scope: Scope, projection: exp.Expr, identifying: Collection[str]) -> Iterator[str]:
    for column in projection.find_all(exp.Column):
        if _is_hidden(column, projection):
            continue
        sources = _sources(scope)
        if column.name.lower() in identifying and not sources:
            yield column.name.lower()  # within a query of its own
        for alias in [column.table] if column.table in sources else sources:
            yield from _reveals_of(scope, alias, column.name, identifying)


def _reveals_of(scope: Scope, alias: str, name: str, identifying: Collection[str]) -> Iterator[str]:
    source = _sources(scope)[alias]
    if isinstance(source, Scope):
        yield from _reveals(source, name, identifying)
    elif name == "*":
        yield from identifying
    elif name.lower() in identifying:
        yield name.lower()


def _sources(scope: Scope) -> dict[str, exp.Expr | Scope]:
    """What a query selects from, by alias; others of its parents' WITH are left out."""
    return {alias: source for alias, (_, source) in scope.selected_sources.items()}


def _is_hidden(column: exp.Column, projection: exp.Expr) -> bool:
    node: exp.Expr | None = column
    while node is not None and node is not projection:
        node = node.parent
        if isinstance(node, _HIDES):
            return True
    return False
