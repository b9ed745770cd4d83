"""What differs between the SQL of engines, beyond what Ibis and SQLGlot know of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from types import MappingProxyType

import ibis
import ibis.expr.types as ir
import sqlglot
from sqlglot import expressions as exp

from app.domain.intake import BLANKS

_ASCII_BLANKS = " \t\n\r\v\f"
"""What Ibis trims; intake trims `BLANKS`."""

_SHORT_DECIMAL = re.compile(r"-?\d{1,12}(?:\.\d{1,3})?")
"""Texts that SQLite reads right: with three decimals no double lies close to a tie."""

_EXACT_BITS = 62

_STEPS = tuple(f"chancellor_{name}" for name in ("read", "held", "goodness", "points", "ranks"))
"""What the steps of the SELECT are called, first to last."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Say how one engine's SQL is written.

    Parameters
    ----------
    name : str
        As people name it.
    ibis : str
        The dialect of Ibis that writes it.
    sqlglot : str
        The dialect of SQLGlot that reads it.
    has_nan : bool
        Whether its doubles can be NaN.
    refuses_underflow : bool
        Whether a product too small for a double is an error and not 0.
    materializes : bool
        Whether a step must be told to be computed once.
    longest_name : int or None
        Bytes of a name of a column; longer ones are cut or refused by the engine.
    """

    name: str
    ibis: str
    sqlglot: str
    has_nan: bool = True
    refuses_underflow: bool = False
    materializes: bool = False
    longest_name: int | None = None

    def joined(self, pieces: Sequence[ir.StringColumn]) -> ir.StringValue:
        """Join texts that are never null; in T-SQL Ibis would write each sum twice as long."""
        if self.name == "tsql":
            return ibis.literal("").join([*pieces, ibis.literal("")])  # it takes two at least
        return reduce(add, pieces)


_ALL = (
    Dialect("duckdb", "duckdb", "duckdb"),
    Dialect(
        "postgres",
        "postgres",
        "postgres",
        refuses_underflow=True,
        materializes=True,
        longest_name=63,
    ),
    Dialect("sqlite", "sqlite", "sqlite", has_nan=False, materializes=True),
    Dialect("spark", "databricks", "spark"),
    Dialect("snowflake", "snowflake", "snowflake", longest_name=255),
    Dialect("bigquery", "bigquery", "bigquery", longest_name=300),
    Dialect("tsql", "mssql", "tsql", has_nan=False, refuses_underflow=True, longest_name=128),
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.name: dialect for dialect in _ALL})
"""Every dialect by its name."""


def adapt(sql: str, dialect: Dialect) -> str:
    """Rewrite the SQL that Ibis gives, where the engine would not compute what the card does.

    Parameters
    ----------
    sql : str
        One SELECT.
    dialect : Dialect
        Of the engine.

    Returns
    -------
    str
        The same SELECT: texts are trimmed as intake trims them; in SQLite doubles are written so
        that its reader of decimals, which errs in the last bit, is not asked; in T-SQL texts are
        Unicode and compared by their bytes.

    Examples
    --------
    >>> sql = "SELECT CAST(t.x AS TEXT) AS x FROM (SELECT CAST('0.25' AS REAL) AS x FROM b) AS t"
    >>> adapt(sql, DIALECTS["sqlite"]).splitlines()[:3]
    ['WITH "chancellor_ranks" AS MATERIALIZED (', '  SELECT', "    CAST('0.25' AS REAL) AS x"]
    """
    tree: exp.Expr = sqlglot.parse_one(sql, read=dialect.sqlglot)
    tree = tree.transform(_without_detours, copy=False)
    tree = tree.transform(_trim_as_intake, dialect, copy=False)
    if dialect.name == "sqlite":
        tree = tree.transform(_exact_in_sqlite, copy=False)
    if dialect.name == "tsql":
        tree = tree.transform(_unicode_in_tsql, copy=False)
    return str(_in_steps(tree, dialect).sql(dialect=dialect.sqlglot, pretty=True))


def _in_steps(tree: exp.Expr, dialect: Dialect) -> exp.Select:
    """Write one select after the other, not inside one another.

    Some engines would else copy each expression into every place that mentions it, many thousand
    times over; they are told to compute a step once.
    """
    if not isinstance(tree, exp.Select):  # Ibis writes nothing else
        raise TypeError(tree)
    steps: list[exp.Expr] = []
    names: dict[str, str] = {}
    select: exp.Expr = tree
    while isinstance(inner := _source(select), exp.Subquery):
        names[inner.alias] = _STEPS[-1 - len(steps)]
        select = inner.this
        inner.replace(exp.Table(this=exp.to_identifier(names[inner.alias], quoted=True)))
        steps.insert(0, select)
    for column in [column for part in (tree, *steps) for column in part.find_all(exp.Column)]:
        if column.table in names:
            column.set("table", exp.to_identifier(names[column.table], quoted=True))
    for name, step in zip(_STEPS[-len(steps) :], steps, strict=True):
        once = dialect.materializes or None
        tree = tree.with_(exp.to_identifier(name, quoted=True), step, materialized=once, copy=False)
    return tree


def _source(select: exp.Expr) -> exp.Expr:
    found = select.find(exp.From)
    if found is None or not isinstance(found.this, exp.Expr):
        raise AssertionError(select)
    return found.this


def _without_detours(node: exp.Expr) -> exp.Expr:
    """Write 2 where Ibis asks whether 1 + 1 is at least 1."""
    if isinstance(node, exp.Case) and len(node.args["ifs"]) == 1:
        condition = node.args["ifs"][0].this
    else:
        condition = node.this if isinstance(node, exp.If) else None
    is_detour = isinstance(condition, exp.GTE) and condition.sql() == "(1 + 1) >= 1"
    return exp.Literal.number(2) if is_detour else node


def _trim_as_intake(node: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Trim what intake trims, written so that no editor can lose it."""
    if not (isinstance(node, exp.Literal) and node.is_string and node.this == _ASCII_BLANKS):
        return node
    codes = [ord(blank) for blank in BLANKS]
    if dialect.name == "sqlite":
        return exp.Var(this=f"CHAR({', '.join(map(str, codes))})")
    if dialect.name in {"spark", "bigquery"}:
        return exp.Var(this="'" + "".join(f"\\u{code:04x}" for code in codes) + "'")
    character, plus = ("NCHAR", " + ") if dialect.name == "tsql" else ("CHR", " || ")
    return exp.Var(this="(" + plus.join(f"{character}({code})" for code in codes) + ")")


def _exact_in_sqlite(node: exp.Expr) -> exp.Expr:
    if not (isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal)):
        return node
    text = str(node.this.this)
    if not node.this.is_string or _SHORT_DECIMAL.fullmatch(text):
        return node
    return sqlglot.parse_one(exact_in_sqlite(float(text)), read="sqlite")


def exact_in_sqlite(value: float) -> str:
    """Write a double as whole numbers and powers of two, which SQLite reads without error.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    str
        An SQL expression whose value is exactly `value`.

    Examples
    --------
    >>> exact_in_sqlite(0.1)
    '(CAST(3602879701896397 AS REAL) / 36028797018963968)'
    """
    whole, below = value.as_integer_ratio()
    power = 1 - below.bit_length()
    while whole and whole % 2 == 0:
        whole, power = whole // 2, power + 1
    if power == 0:
        return f"CAST({whole} AS REAL)"
    if -_EXACT_BITS <= power < 0:
        return f"(CAST({whole} AS REAL) / {2**-power})"
    if power < -1000:  # noqa: PLR2004 - 2^-1074 itself is one, but its factors are safer
        return f"(CAST({whole} AS REAL) * POWER(2.0, {power + 500}) * POWER(2.0, -500))"
    return f"(CAST({whole} AS REAL) * POWER(2.0, {power}))"


def _unicode_in_tsql(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Literal) and node.is_string and not str(node.this).isascii():
        return exp.National(this=node.this)
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.VARCHAR:
        return exp.DataType(this=exp.DataType.Type.NVARCHAR, expressions=node.expressions)
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Column) and node.is_type("VARCHAR"):
        node.set("to", exp.DataType.build("NVARCHAR(MAX)", dialect="tsql"))
        return exp.Collate(this=node, expression=exp.Var(this="Latin1_General_BIN2"))
    return node
