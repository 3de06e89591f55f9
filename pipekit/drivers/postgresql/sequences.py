# The text about sequences behind columns in PostgreSQL: finding them, moving them on. Pure text; knows no connection.
"""A sequence whose numbers an application takes must not hand out one that a load has brought.

A sequence is never set back, not even for a moment: `setval` is not of the transaction, and between looking and setting
others may take numbers. So short ways are walked with `nextval`, which cannot go back, and `setval` only jumps where
far more numbers lie between than anybody could take meanwhile.
"""

from collections.abc import Callable, Sequence

from pipekit.drivers.base import FedSequence, MergePlan, StagedColumn, TableName
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.postgresql.types import build_cast
from pipekit.runner_contract import Query, Statement

Literal = Callable[[str], str]

WALK = 10_000
# Without the right to set it a sequence can still be walked, at about a million steps a second.
WALK_ALONE = 2_000_000
# What the statement gives in place of a number of steps.
AT_ITS_END, TOO_FAR = -1, -2

# The dest, what it is a partition of, and the tables under a view: a default belongs to one of them.
_FIND = """\
WITH RECURSIVE dest AS (
  SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = {schema} AND c.relname = {table}
), family AS (
  SELECT oid FROM dest
  UNION SELECT p.relid::pg_catalog.oid FROM dest, pg_catalog.pg_partition_ancestors(dest.oid) AS p
  UNION SELECT d.refobjid FROM dest JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = dest.oid
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
), columns AS (
  SELECT a.attrelid, a.attnum, a.attname, a.atttypid, f.oid AS default_oid, t.typdefault,
    pg_catalog.pg_get_expr(f.adbin, f.adrelid) AS default_text
  FROM family JOIN pg_catalog.pg_attribute AS a ON a.attrelid = family.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid AND t.typcategory = 'N'
  LEFT JOIN pg_catalog.pg_attrdef AS f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
  WHERE a.attgenerated = ''
), found AS (
  SELECT c.attname, d.objid AS sequence FROM columns AS c
  JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.attrelid
    AND d.refobjsubid = c.attnum AND d.deptype IN ('a', 'i')
  UNION
  SELECT c.attname, d.refobjid FROM columns AS c
  JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND (
    d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = c.default_oid AND c.default_text ~ {plain}
    OR d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = c.atttypid AND c.default_oid IS NULL
      AND c.typdefault ~ {plain})
)
SELECT DISTINCT found.attname, n.nspname, s.relname, q.seqincrement, q.seqmin, q.seqmax,
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_sequence_privilege(s.oid, 'SELECT')
    AND pg_catalog.has_sequence_privilege(s.oid, 'USAGE, UPDATE'),
  pg_catalog.has_sequence_privilege(s.oid, 'UPDATE'),
  EXISTS (SELECT FROM dest JOIN pg_catalog.pg_attribute AS a ON a.attrelid = dest.oid AND a.attname = found.attname
    JOIN pg_catalog.pg_index AS i ON i.indrelid = dest.oid AND i.indkey[0] = a.attnum
      AND i.indpred IS NULL AND i.indisvalid)
FROM found
JOIN pg_catalog.pg_class AS s ON s.oid = found.sequence AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.oid
ORDER BY 1, 2, 3"""

# A default that does more with the number says nothing about which number is the next.
_PLAIN = r"'^\(?nextval\(''.*''::regclass\)\)?(::[a-z]+)?$'"

# How many numbers lie between what the sequence hands out next and the first one that no row has.
_MOVE = """\
SELECT CASE
  WHEN f.fed IS NULL OR {behind} THEN 0
  WHEN {target} NOT BETWEEN {low} AND {high} THEN {at_its_end}
  {act}
END
FROM {sequence} AS q,
  (SELECT {extreme}({column}) AS fed FROM {table} WHERE {column} BETWEEN {low} AND {high}) AS f"""


def build_list_sql(literal: Literal, table: TableName) -> str:
    """The sequences that number columns of a table, by the column's default, identity, domain, or as their owner."""
    return _FIND.format(schema=literal(table.schema or "public"), table=literal(table.name), plain=_PLAIN)


def list_sequences(query: Query, literal: Literal, table: TableName, columns: Sequence[str]) -> tuple[FedSequence, ...]:
    """Those of these columns."""
    found = [_read_sequence(row) for row in query(build_list_sql(literal, table)).rows]
    return tuple(sequence for sequence in found if sequence.column in columns)


def _read_sequence(row: tuple[str | None, ...]) -> FedSequence:
    column, schema, name, increment, low, high, usable, settable, indexed = row
    return FedSequence(
        column=column or "",
        table=TableName(schema=schema, name=name or ""),
        increment=int(increment or 1),
        low=int(low or 0),
        high=int(high or 0),
        can_walk=usable == "t",
        can_set=settable == "t",
        indexed=indexed == "t",
    )


def build_move_sql(plan: MergePlan, sequence: FedSequence, name: str) -> Statement:
    """One number: by how many steps the sequence was moved on (or is behind, where it is only looked at)."""
    staged = next(column for column in plan.columns if column.dest.name == sequence.column)
    table, column = _choose_rows(plan, sequence, staged)
    up = sequence.increment > 0
    ways = f"pg_catalog.div(CAST(f.fed AS numeric) - q.last_value, {sequence.increment})"
    steps = f"CAST({ways} + CASE WHEN q.is_called THEN 0 ELSE 1 END AS bigint)"
    target = f"q.last_value + {ways} * {sequence.increment}"
    text = _MOVE.format(
        behind=f"f.fed {'<' if up else '>'} q.last_value",
        target=target,
        low=f"CAST('{sequence.low}' AS bigint)",
        high=f"CAST('{sequence.high}' AS bigint)",
        at_its_end=AT_ITS_END,
        act=_build_act(plan, sequence, steps, target),
        sequence=quote_table(sequence.table),
        extreme="pg_catalog.max" if up else "pg_catalog.min",
        column=column,
        table=table,
    )
    return Statement(sql=text, name=name, value=True)


def _choose_rows(plan: MergePlan, sequence: FedSequence, staged: StagedColumn) -> tuple[str, str]:
    """The dest where an index gives its last number at once; else what was fed, which is not read for nothing.

    After a swap both are one.
    """
    name = quote_identifier(sequence.column)
    if sequence.indexed or plan.swap:
        return quote_table(plan.dest), name
    value = name if staged.stage_type is None else build_cast(name, staged.stage_type, staged.dest.type)
    return quote_table(plan.staging), value


def _build_act(plan: MergePlan, sequence: FedSequence, steps: str, target: str) -> str:
    if not plan.moves_sequences:
        return f"ELSE {steps}"
    regclass = quote_text(quote_table(sequence.table))
    walk = f"(SELECT pg_catalog.count(pg_catalog.nextval({regclass})) FROM pg_catalog.generate_series(1, {steps}))"
    if not sequence.can_set:
        return f"WHEN {steps} > {WALK_ALONE} THEN {TOO_FAR}\n  ELSE {walk}"
    jump = f"{steps} + 0 * pg_catalog.setval({regclass}, CAST({target} AS bigint))"
    return f"WHEN {steps} > {WALK} THEN {jump}\n  ELSE {walk}"
