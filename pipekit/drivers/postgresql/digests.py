# Two tables in two PostgreSQLs told apart by hashes of their rows, summed in buckets by key. Pure text.
"""`PostgresDigests`.

Each column is hashed with a seed of its own, and the hashes of a row are put together bit by bit (XOR). That alone is
linear, as the server's own hash of a record is: added up, it would not see values that two rows have exchanged. So what
comes of a row is the seed of one more hash, which is added. Hashes take values for equal that are only equal (a scale,
a zero below 0, blanks at the end), and some types have none: those are hashed as text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pipekit.drivers.base import MergePlan, StagedColumn
from pipekit.drivers.comparing import BucketRange, Digests, Side
from pipekit.drivers.postgresql.joins import name_dest
from pipekit.drivers.postgresql.names import quote_identifier
from pipekit.drivers.postgresql.types import FLOATS, IDENTICAL, INTEGERS, PADDED, Spelling, parse_type
from pipekit.drivers.sqltext import strip_query

# The first server whose records have a hash.
_HASHES_RECORDS = 140_000
# Buckets where keys are numbers that can be cut into ranges: rows beside each other mostly fall into one. By a hash
# they are scattered, and more of them would not stay in a processor's cache.
_RANGES = 1 << 16
_HASHED = 1 << 12
# So many keys are looked for one by one, and so many ranges of keys, where there is an index; more by their buckets.
_LISTED = 20_000
_SPANS = 64
_PACKED = 8  # bits of a bucket's number; so many buckets come in one row
_MEMORY = "32MB"

_TEXTS = frozenset({"text", "character varying"})
# A value of each type that goes into a record as it is; both servers must make the same hash of them.
_LITERALS = {
    "smallint": "CAST(-7 AS smallint)",
    "integer": "CAST(-70000 AS integer)",
    "bigint": "CAST(-7000000000 AS bigint)",
    "numeric": "CAST(-12.50 AS numeric)",
    "text": "CAST(U&'a\\00E9 \\20AC' AS text) COLLATE \"C\"",
    "character": "CAST('ab' AS character(4))",
    "boolean": "true",
    "uuid": "CAST('00112233-4455-6677-8899-aabbccddeeff' AS uuid)",
    "date": "CAST('1969-07-20' AS date)",
    "bytea": "CAST('\\x00ff' AS bytea)",
    "oid": "CAST(70000 AS oid)",
    "timestamp without time zone": "CAST('1969-07-20 20:17:40.000001' AS timestamp)",
    "timestamp with time zone": "CAST('1969-07-20 20:17:40.000001+00' AS timestamptz)",
    "time without time zone": "CAST('20:17:40.000001' AS time)",
}


# Of a value and a seed, by functions that every server has; what has none here is hashed as a record.
_FUNCTIONS = {
    base: f"pg_catalog.{name}({{value}}, {{seed}})"
    for base, name in {
        "smallint": "hashint2extended",
        "integer": "hashint4extended",
        "bigint": "hashint8extended",
        "numeric": "hash_numeric_extended",
        "text": "hashtextextended",
        "character": "hashbpcharextended",
        "oid": "hashoidextended",
        "uuid": "uuid_hash_extended",
        "timestamp without time zone": "timestamp_hash_extended",
        "time without time zone": "time_hash_extended",
    }.items()
} | {
    # A record is made for each row; later days are no moments.
    "date": "CASE WHEN {value} < DATE '294277-01-01'"
    " THEN pg_catalog.timestamp_hash_extended(CAST({value} AS timestamp), {seed})"
    " ELSE pg_catalog.hash_record_extended(ROW({value}), {seed}) END"
}


@dataclass(frozen=True, slots=True)
class _Value:
    """A value as an expression, and the type that says how it is hashed."""

    text: str
    base: str
    nullable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cell:
    """A column's value on both sides, in forms whose hashes are equal where the values are."""

    name: str
    source: _Value
    dest: _Value

    def get(self, side: Side) -> _Value:
        return self.source if side == "source" else self.dest


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresDigests(Digests):
    """For one plan: fed columns, those of the key (without one a row's own hash says its bucket), the dest in FROM."""

    cells: tuple[_Cell, ...]
    key: tuple[_Cell, ...]
    dest: str
    ranges: BucketRange | None = None
    hashes_records: bool = True
    seed: int = 0

    def build_facts(self, side: Side, condition: str) -> tuple[str, ...]:
        """Of both the version and the encoding; of the dest also the least and greatest key, where it is a number."""
        settings = (
            "SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_encoding')"
        )
        if side == "source":
            return (settings,)
        if not self.key or self.key[0].dest.base not in INTEGERS:
            return (settings, "SELECT NULL, NULL")
        first = self.key[0].dest.text
        return (
            settings,
            f"SELECT pg_catalog.min({first}), pg_catalog.max({first}) FROM {self._from(side, '', condition)}",
        )

    def settle(self, source: Sequence[Sequence[str | None]], dest: Sequence[Sequence[str | None]]) -> "Digests | None":
        if source[0][1] != dest[0][1] or source[0][1] == "SQL_ASCII":
            return None  # equal bytes are not equal texts
        low, high = dest[1]
        ranges = _cut(int(low), int(high)) if low is not None and high is not None else None
        hashes = all(int(row[0] or 0) >= _HASHES_RECORDS for row in (source[0], dest[0]))
        return replace(self, ranges=ranges, hashes_records=hashes)

    def build_prepare(self) -> str:
        known = "pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem'))"
        more = f"pg_catalog.pg_size_bytes('{_MEMORY}')"
        return f"SELECT pg_catalog.set_config('work_mem', '{_MEMORY}', true) WHERE {known} < {more}"

    def build_test(self) -> str:
        bases = dict.fromkeys(cell.dest.base for cell in self.cells)
        return f"SELECT {self._mix(self._hash([_Value(_LITERALS[base], base) for base in bases]))}"

    def build(self, side: Side, query: str, condition: str) -> str:
        row = self._hash([cell.get(side) for cell in self.cells])
        hashed = f"SELECT {self._bucket(side)} AS b, {row} AS r FROM {self._from(side, query, condition)}"
        sums = f"pg_catalog.sum({self._mix('i.r')})"
        # OFFSET keeps what is hashed from being hashed again, and rows from being carried along whole.
        buckets = f"SELECT i.b, pg_catalog.count(*) AS n, {sums} AS h FROM (\n{hashed}\nOFFSET 0\n) AS i\nGROUP BY i.b"
        text = "pg_catalog.string_agg(g.b || ':' || g.n || ':' || g.h, ' ' ORDER BY g.b)"
        return f"SELECT g.b >> {_PACKED}, {text}\nFROM (\n{buckets}\n) AS g\nGROUP BY 1\nORDER BY 1"

    def build_within(self, side: Side, buckets: Sequence[int]) -> str:
        if not buckets:
            return "false"
        exact = f"({self._bucket(side)}) = ANY ({_list_numbers(buckets)})"
        if self.ranges is None:
            return exact
        spans, key = _join_spans(self.ranges, buckets), self.key[0].get(side).text
        numbers = _list_keys(spans)
        if numbers is not None:
            return f"({' OR '.join([f'{key} = ANY ({_list_numbers(numbers)})', *_list_open(key, spans)])})"
        # An index is asked for the ranges; without one all rows are read, and asked for their bucket first.
        ranges = " OR ".join(_build_span(key, span) for span in spans)
        return f"{exact} AND ({ranges})" if len(spans) <= _SPANS else exact

    def describe(self) -> str:
        count = "ranges of the key" if self.ranges else "buckets"
        what = "rows" if self.hashes_records else "rows as text"
        return f"64-bit hashes of {what} summed by {count} in both servers, each value where they differ"

    def _hash(self, values: Sequence[_Value]) -> str:
        """Of a NULL stands the seed of its column."""
        if not self.hashes_records:
            row = f"ROW({', '.join(value.text for value in values)})"
            return f"pg_catalog.hashtextextended(CAST({row} AS text), 0)"
        rest = [value.text for value in values if value.base not in _FUNCTIONS]
        parts = [f"pg_catalog.hash_record_extended(ROW({', '.join(rest)}), 0)"] if rest else []
        for seed, value in enumerate(values, 1):
            if value.base in _FUNCTIONS:
                hashed = _FUNCTIONS[value.base].format(value=value.text, seed=seed)
                parts.append(f"coalesce({hashed}, {seed})" if value.nullable else hashed)
        return f"({' # '.join(parts)})"

    def _mix(self, row: str) -> str:
        """A hash takes in its seed whole, 64 bits, and costs less than to make a text of them."""
        return f"pg_catalog.hashint4extended({self.seed % 2**31}, {row})"

    def _bucket(self, side: Side) -> str:
        if self.ranges is None:
            return f"{self._hash([cell.get(side) for cell in self.key or self.cells])} & {_HASHED - 1}"
        low, high, shift = self.ranges
        value = f"CAST({self.key[0].get(side).text} AS bigint)"
        return f"(GREATEST({low}, LEAST({high}, {value})) - {low}) >> {shift}"

    def _from(self, side: Side, query: str, condition: str) -> str:
        rows = self.dest if side == "dest" else f"(\n{strip_query(query)}\n) AS pipekit_query"
        return f"{rows}\nWHERE {condition}" if condition else rows


def build_digests(plan: MergePlan, seed: int) -> PostgresDigests | None:
    """None where a column's values cannot be told apart by hashes on both sides."""
    names = [column.source.name for column in plan.columns]
    if "" in names or len(set(names)) < len(names):
        return None
    cells = tuple(cell for column in plan.columns for cell in _build_cell(column))
    if len(cells) < len(names):
        return None
    by_name = {cell.name: cell for cell in cells}
    key = tuple(by_name[name] for name in plan.key or plan.row_key)
    return PostgresDigests(cells=cells, key=key, dest=f"{name_dest(plan)} AS d", seed=seed)


def _cut(low: int, high: int) -> BucketRange | None:
    """Ranges of a power of two; None where there would be too few of them."""
    if high - low < _HASHED or not -(2**62) < low <= high < 2**62:
        return None
    return BucketRange(low, high, max(0, ((high - low) // _RANGES).bit_length()))


class _Span(NamedTuple):
    """Keys from `first` to `last`; None where there is no end. What has no key is behind the last one."""

    first: int | None
    last: int | None


def _join_spans(ranges: BucketRange, buckets: Sequence[int]) -> list[_Span]:
    """The keys of these buckets, in order; those of buckets beside each other are one span."""
    low, high, shift = ranges
    most = (high - low) >> shift
    spans: list[_Span] = []
    before = None
    for bucket in sorted(buckets):
        first = low + (bucket << shift) if bucket else None
        last = low + ((bucket + 1) << shift) - 1 if bucket < most else None
        spans[-1:] = [_Span(spans[-1].first, last)] if bucket - 1 == before else [*spans[-1:], _Span(first, last)]
        before = bucket
    return spans


def _build_span(key: str, span: _Span) -> str:
    if span.last is None:
        return f"{key} >= {span.first} OR {key} IS NULL" if span.first is not None else "true"
    return f"{key} BETWEEN {span.first} AND {span.last}" if span.first is not None else f"{key} <= {span.last}"


def _list_keys(spans: Sequence[_Span]) -> list[int] | None:
    """Each key of those spans that have two ends; None where they are too many to say."""
    closed = [(span.first, span.last + 1) for span in spans if span.first is not None and span.last is not None]
    if sum(end - first for first, end in closed) > _LISTED:
        return None
    return [number for first, end in closed for number in range(first, end)]


def _list_open(key: str, spans: Sequence[_Span]) -> list[str]:
    return [_build_span(key, span) for span in spans if None in span]


def _list_numbers(numbers: Sequence[int]) -> str:
    return f"CAST('{{{','.join(map(str, numbers))}}}' AS bigint[])"


def _build_cell(column: StagedColumn) -> Iterator[_Cell]:
    source, dest = quote_identifier(column.source.name), f"d.{quote_identifier(column.dest.name)}"
    one, two = parse_type(column.source.type), parse_type(column.dest.type)
    forms = _find_forms(one, two, column)
    if forms:
        bases = (one.base, two.base) if forms[2] in INTEGERS else (forms[2], forms[2])
        yield _Cell(
            name=column.dest.name,
            # Whatever the dest takes, the source may have a NULL.
            source=_Value(forms[0].format(source), bases[0], True),
            dest=_Value(forms[1].format(dest), bases[1], column.dest.nullable),
        )


def _find_forms(one: Spelling, two: Spelling, column: StagedColumn) -> tuple[str, str, str] | None:
    """How a value stands in the record on either side, and the type of it; None where there is no way."""
    both = {one.base, two.base}
    if one.dimensions or two.dimensions:
        return _as_text(column)
    if both <= {*INTEGERS} or (one.base == two.base and one.base in IDENTICAL):
        return "{}", "{}", two.base
    if both <= _TEXTS:
        return '{} COLLATE "C"', '{} COLLATE "C"', "text"
    if two.base == "numeric" and (one.base == "numeric" or one.base in INTEGERS):
        if two.arguments:  # all values of a column have the scale that it declares
            return "CAST({} AS numeric)", "{}", "numeric"
        return 'CAST(CAST({} AS numeric) AS text) COLLATE "C"', 'CAST({} AS text) COLLATE "C"', "text"
    if both <= {*PADDED} and one.arguments == two.arguments:
        return ("{}", "{}", "character") if one.arguments else (_BLANKS, _BLANKS, "text")
    if one.base in PADDED and two.base in _TEXTS:
        return _BLANKS, '{} COLLATE "C"', "text"
    if two.base == "double precision" and one.base in FLOATS:
        return 'CAST(CAST({} AS double precision) AS text) COLLATE "C"', 'CAST({} AS text) COLLATE "C"', "text"
    return _as_text(column)


# A cast to text would drop them.
_BLANKS = 'pg_catalog.textin(pg_catalog.bpcharout({})) COLLATE "C"'


def _as_text(column: StagedColumn) -> tuple[str, str, str] | None:
    """For one type on both sides; of a domain the text of a padded type would lose its blanks, of a name its place."""
    under = parse_type(column.dest.under or column.dest.type)
    if column.source.type != column.dest.type or under.base in PADDED or under.base.startswith("reg"):
        return None
    return 'CAST({} AS text) COLLATE "C"', 'CAST({} AS text) COLLATE "C"', "text"
