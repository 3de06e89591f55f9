# The T-SQL types of what a query selects, worked out from its text as SQL Server does. Evaluates nothing.
"""`Inference(find_columns).describe(query)` gives a query's columns, and leaves each expression's type in its node.

Only what it knows is let through: every other expression or clause is refused, so that nothing can be evaluated that
SQL Server would understand differently. It knows whole numbers, texts, NULL, and what is commonly made of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlglot import exp

from tests.databases.tds.replies import Error
from tests.databases.tds.types import CODE_PAGE

MAX = 1 << 31
LONGEST = {"varchar": 8000, "nvarchar": 4000}
# In rising precedence, with the least and the greatest value of each.
NUMBERS = {
    "bit": (0, 1),
    "tinyint": (0, 255),
    "smallint": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
# A whole number beyond an int is a numeric, which is compared here but not selected.
_ORDER = [*NUMBERS, "numeric"]
_TYPE = re.compile(r"(n?varchar)\((\d+|max)\)", re.I)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between)
_CONDITIONS = (*_COMPARISONS, exp.And, exp.Or, exp.Not, exp.Is)
_CLAUSES = {"expressions", "from", "from_", "joins", "where", "group", "having", "order", "limit", "with", "with_"}
_UNION_PARTS = {"this", "expression", "order", "with", "with_"}
# A number becomes a text of at most so many characters.
_NUMBER_UNITS = 12


class Kind(NamedTuple):
    """A type: `base` is `""` for a NULL that has none yet; `length` is that of a text, `MAX` without a limit."""

    base: str
    length: int = 0

    @property
    def text(self) -> str:
        """Its T-SQL spelling; a NULL alone is an int."""
        if self.base not in LONGEST:
            return self.base or "int"
        return f"{self.base}({'max' if self.length == MAX else self.length})"


class Named(NamedTuple):
    """A column: its name as it is written, and its type; None for one of a type that is not known here."""

    name: str
    kind: Kind | None


class Refused(Exception):
    """The server's answer is an error."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.error = Error(number, message)


Columns = Sequence[Named]
Sources = Mapping[str, Columns]


def parse_kind(text: str) -> Kind | None:
    """The kind of a type's spelling; None for one that is not known here."""
    name = {"integer": "int"}.get(text.lower(), text.lower())
    if name in NUMBERS:
        return Kind(name)
    match = _TYPE.fullmatch(text)
    if not match:
        return None
    return Kind(match[1].lower(), MAX if match[2].lower() == "max" else int(match[2]))


def get_kind(node: exp.Expression) -> Kind:
    """What `describe` has found for an expression of a query."""
    kind: Kind = node.meta["kind"]
    return kind


def build_refusal(node: exp.Expression) -> Refused:
    """The refusal of an expression."""
    return Refused(50000, f"The double does not evaluate {type(node).__name__} as in: {node.sql('tsql')[:200]}")


class Inference:
    """The types of one statement. `find_columns` gives a table's columns or raises Refused."""

    def __init__(self, find_columns: Callable[[exp.Table], Columns]) -> None:
        self._find_columns = find_columns

    def describe(self, query: exp.Expression, outer: Sources | None = None) -> list[Named]:
        """The columns of a SELECT or a UNION; `outer` are the common table expressions around it."""
        known = dict(outer or {})
        for cte in query.ctes if isinstance(query, exp.Query) else ():
            known[cte.alias.lower()] = self._describe_cte(cte, known)
        if isinstance(query, exp.Union):
            return self._describe_union(query, known)
        if not isinstance(query, exp.Select):
            raise build_refusal(query)
        return self._describe_select(query, known)

    def _describe_cte(self, cte: exp.CTE, known: Sources) -> list[Named]:
        names = [column.name for column in cte.args["alias"].args.get("columns") or ()]
        if not isinstance(cte.this, exp.Union) or not _names(cte.this, cte.alias):
            return _rename(self.describe(cte.this, known), names)
        # The first part of a recursion says what the columns are.
        anchor = _rename(self.describe(cte.this.this, known), names)
        self.describe(cte.this.expression, {**known, cte.alias.lower(): anchor})
        return anchor

    def _describe_union(self, query: exp.Union, known: Sources) -> list[Named]:
        if query.args.get("distinct") is not False or _extra(query, _UNION_PARTS | {"distinct"}):
            raise build_refusal(query)
        left, right = self.describe(query.this, known), self.describe(query.expression, known)
        if len(left) != len(right):
            text = "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of "
            raise Refused(205, f"{text}expressions in their target lists.")
        columns = [
            Named(one.name, combine([one.kind or Kind(""), two.kind or Kind("")], query))
            for one, two in zip(left, right, strict=True)
        ]
        self._visit_order(query, {"": columns})
        return columns

    def _describe_select(self, select: exp.Select, known: Sources) -> list[Named]:
        limit = select.args.get("limit")
        if _extra(select, _CLAUSES) or (limit and _extra(limit, {"expression"})):
            raise build_refusal(select)
        sources = self._find_sources(select, known)
        columns: list[Named] = []
        for item in select.expressions:
            if isinstance(item, exp.Star):
                columns += [column for source in sources.values() for column in source]
            else:
                columns.append(Named(item.alias_or_name if _has_name(item) else "", self._visit(item, sources)))
        for clause in (*(select.args.get("joins") or ()), select.args.get("where"), select.args.get("having")):
            condition = clause and (clause.args.get("on") if isinstance(clause, exp.Join) else clause.this)
            if condition:
                self._visit(condition, sources)
        for item in select.args["group"].expressions if select.args.get("group") else ():
            self._visit(item, sources)
        self._visit_order(select, {"": columns, **sources})
        _check_groups(select)
        return columns

    def _visit_order(self, query: exp.Expression, sources: Sources) -> None:
        for item in query.args["order"].expressions if query.args.get("order") else ():
            self._visit(item.this, sources)

    def _find_sources(self, select: exp.Select, known: Sources) -> dict[str, Columns]:
        found = select.args.get("from_") or select.args.get("from")
        sources: dict[str, Columns] = {}
        for item in (*([found.this] if found else ()), *(join.this for join in select.args.get("joins") or ())):
            if isinstance(item, exp.Subquery) and not item.alias_column_names:
                sources[item.alias.lower()] = self.describe(item.this, known)
            elif isinstance(item, exp.Table):
                common = known.get(item.name.lower()) if not item.db else None
                sources[item.alias_or_name.lower()] = self._find_columns(item) if common is None else common
            else:
                raise build_refusal(item)
        return sources

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _visit(self, node: exp.Expression, sources: Sources) -> Kind:
        node.meta["kind"] = kind = self._find_kind(node, sources)
        return kind

    def _find_kind(self, node: exp.Expression, sources: Sources) -> Kind:
        if isinstance(node, (exp.Alias, exp.Paren, exp.Min, exp.Max)):
            return self._visit(node.this, sources)
        if isinstance(node, (exp.Neg, exp.Sum)):
            return combine([_check_number(self._visit(node.this, sources), node), Kind("int")], node)
        if isinstance(node, exp.Literal):
            return _find_literal(node)
        if isinstance(node, exp.National):
            return Kind("nvarchar", max(1, len(node.name.encode("utf-16-le")) // 2))
        if isinstance(node, exp.Null):
            return Kind("")
        if isinstance(node, exp.Column):
            return _find_column(node, sources)
        parts = [self._visit(part, sources) for part in _list_parts(node)]
        if isinstance(node, exp.Count):
            return Kind("bigint" if node.args.get("big_int") else "int")
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
            return _check_number(combine(parts, node), node)
        if isinstance(node, exp.Concat):
            return _join(parts)
        if isinstance(node, exp.Coalesce) and not node.args.get("is_null"):
            return combine(parts, node)
        if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
            return _find_cast(node, parts[0])
        if isinstance(node, _CONDITIONS):
            if isinstance(node, _COMPARISONS):
                combine(parts, node)
            return Kind("bit")
        raise build_refusal(node)


def _list_parts(node: exp.Expression) -> list[exp.Expression]:
    """The expressions that an expression is made of."""
    return [part for part in node.iter_expressions() if not isinstance(part, (exp.Star, exp.DataType))]


def combine(kinds: Iterable[Kind], node: exp.Expression) -> Kind:
    """The type that values of several types have in common; numbers and texts are not mixed here."""
    found = [kind for kind in kinds if kind.base]
    if not found:
        return Kind("")
    if all(kind.base in _ORDER for kind in found):
        return max(found, key=lambda kind: _ORDER.index(kind.base))
    if any(kind.base in _ORDER for kind in found):
        raise build_refusal(node)
    base = "nvarchar" if any(kind.base == "nvarchar" for kind in found) else "varchar"
    return Kind(base, max(kind.length for kind in found))


def _join(kinds: Sequence[Kind]) -> Kind:
    base = "nvarchar" if any(kind.base == "nvarchar" for kind in kinds) else "varchar"
    lengths = [kind.length if kind.base in LONGEST else _NUMBER_UNITS if kind.base else 1 for kind in kinds]
    return Kind(base, MAX if MAX in lengths else min(sum(lengths), LONGEST[base]))


def _check_number(kind: Kind, node: exp.Expression) -> Kind:
    """The kind, unless it is that of a text: `+` joins texts in T-SQL and adds them in SQLite."""
    if kind.base in LONGEST:
        raise build_refusal(node)
    return kind


def _find_literal(node: exp.Literal) -> Kind:
    if node.is_string:
        return Kind("varchar", max(1, len(node.name.encode(CODE_PAGE, "replace"))))
    if not node.is_int:
        raise build_refusal(node)
    return Kind("int" if int(node.name) <= NUMBERS["int"][1] else "numeric")


def _find_column(node: exp.Column, sources: Sources) -> Kind:
    if node.table and node.table.lower() not in sources:
        raise Refused(4104, f'The multi-part identifier "{node.table}.{node.name}" could not be bound.')
    places = [sources[node.table.lower()]] if node.table else list(sources.values())
    for columns in places:
        for column in columns:
            if column.name.lower() != node.name.lower():
                continue
            if column.kind is None:
                raise build_refusal(node)
            return column.kind
    raise Refused(207, f"Invalid column name '{node.name}'.")


def _find_cast(node: exp.Cast, given: Kind) -> Kind:
    """Only what changes no value: to a longer text, to a number that is at least as wide."""
    kind = parse_kind(node.args["to"].sql("tsql"))
    if kind is None:
        raise build_refusal(node)
    both_numbers = kind.base in NUMBERS and given.base in NUMBERS
    narrower = both_numbers and _ORDER.index(given.base) > _ORDER.index(kind.base)
    units = given.length if given.base in LONGEST else 2 * _NUMBER_UNITS if given.base else 0
    if narrower or (kind.base in NUMBERS and given.base in LONGEST) or (kind.base in LONGEST and kind.length < units):
        raise build_refusal(node)
    if given.base == "nvarchar" and kind.base == "varchar":
        raise build_refusal(node)
    return kind


def _check_groups(select: exp.Select) -> None:
    """Beside an aggregate only what is grouped by can be selected; SQLite would take any row's value."""
    group = select.args.get("group")
    grouped = {part.sql("tsql").lower() for part in group.expressions} if group else set()
    if group is None and not any(item.find(exp.AggFunc) for item in select.expressions):
        return
    for item in select.expressions:
        for column in item.find_all(exp.Column):
            if column.find_ancestor(exp.AggFunc) is None and column.sql("tsql").lower() not in grouped:
                text = "is invalid in the select list because it is not contained in either an aggregate function or"
                raise Refused(8120, f"Column '{column.name}' {text} the GROUP BY clause.")


def _has_name(node: exp.Expression) -> bool:
    return isinstance(node, (exp.Alias, exp.Column))


def _names(query: exp.Expression, name: str) -> bool:
    return any(table.name.lower() == name.lower() and not table.db for table in query.find_all(exp.Table))


def _rename(columns: Sequence[Named], names: Sequence[str]) -> list[Named]:
    if not names:
        return list(columns)
    return [Named(name, column.kind) for name, column in zip(names, columns, strict=True)]


def _extra(node: exp.Expression, known: set[str]) -> bool:
    """Whether there is a clause that is not known here."""
    return any(value and key not in known for key, value in node.args.items())
