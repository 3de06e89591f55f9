# What a merge over JDBC does to rows that others refer to, and what its dest holds after it. Pure text.
"""`KeepingText`: the merge that keeps rows, the children that are counted, the look; for one merge."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.bags import Bags
from pipekit.drivers.base import MergePlan, StagedColumn
from pipekit.drivers.facts import Look, Reference
from pipekit.drivers.jdbc.phrases import MergePhrases
from pipekit.drivers.vanishing import VanishingText, build_gone
from pipekit.runner_contract import Statement


@dataclass(frozen=True, slots=True)
class KeepingText:
    """`text` has the plan, the product and how things are quoted."""

    text: MergePhrases

    @property
    def plan(self) -> MergePlan:
        return self.text.plan

    def build(self) -> tuple[Statement, ...]:
        """Deletes what is gone, updates what is there, inserts what is new; a row's own key says which is which."""
        text, plan = self.text, self.plan
        before = Statement(sql=f"SELECT COUNT(*) FROM {text.dest}", name="before", value=True)
        gone = self.build_gone()
        return (
            *((before,) if plan.strategy == "full" else ()),
            *((text.build_delete(gone),) if gone else ()),
            text.build_update(plan.row_key, self._build_known_scope()),
            text.build_insert(f"\nWHERE NOT EXISTS (SELECT 1 FROM {text.dest} d WHERE {self.build_known_pairs()})"),
        )

    def build_known_pairs(self) -> str:
        """Whether a dest row `d` is the staged row `s` come again."""
        return f"{self._build_match(self.plan.row_key, 'd', 's')}{self._build_known_scope()}"

    def _build_known_scope(self) -> str:
        is_wider = self.plan.strategy == "incremental" and not set(self.plan.row_key) <= set(self.plan.key)
        return f" AND {self._build_scope('d')}" if is_wider else ""

    def build_children(self, reference: Reference) -> str:
        """How many rows of a child refer to dest rows that go; of an uncounted one, the dest rows."""
        gone = self.build_gone()
        if not gone or (reference.root.is_own and self.plan.strategy == "full"):
            return ""
        if reference.uncounted:
            return f"SELECT COUNT(*) FROM {self.text.dest} d WHERE {gone}"
        # A row of the dest itself that is loaded anew, or goes as well, is no other row.
        others = f"\nAND {'' if self.plan.gone else 'NOT '}{self._build_scope('c')}" if reference.is_own else ""
        return f"SELECT COUNT(*) FROM {self._child(reference)} c\nWHERE {self._referring(reference, 'c', gone)}{others}"

    def build_vanishing(self) -> VanishingText:
        """Of the dest rows whose key is gone, in a plan that is about them."""
        head, behind = (
            ("d", f"\nFROM {self.text.dest} d") if self.text.product.alias_first else (f"{self.text.dest} d", "")
        )
        return VanishingText(
            dest=f"{self.text.dest} d",
            alias="d",
            known=self._build_scope("d"),
            delete=lambda where: self.text.build_delete(where).sql,
            update=lambda sets, where: f"UPDATE {head}\nSET {sets}{behind}\nWHERE {where}",
        )

    def build_moved(self, reference: Reference) -> str:
        """How many rows of a child refer to dest rows that stay under another value."""
        plan, text = self.plan, self.text
        moved = [column for column in plan.columns if column.dest.name in reference.root.referred]
        differs = " OR ".join(self._build_differs(column) for column in moved)
        key = plan.row_key if plan.keeps else plan.key
        match = self._build_match(key, "d", "k", plan.null_keys and not plan.keeps)
        found = f"EXISTS (SELECT 1 FROM {text.table(plan.staging)} k WHERE {match} AND ({differs}))"
        if reference.uncounted:
            return f"SELECT COUNT(*) FROM {text.dest} d WHERE {found}"
        return f"SELECT COUNT(*) FROM {self._child(reference)} c\nWHERE {self._referring(reference, 'c', found)}"

    def build_look(self) -> Look | None:
        """`full`: all rows. Keyed: those of the staged keys. `append`: the staged rows must be there."""
        if not self.text.product.compares:
            return self._build_count_look()
        bags = self.build_bags()
        if bags is None:
            return None
        look = bags.build_look(both=self.plan.strategy != "append")
        details = look.details if self.text.product.has_with else ""
        return Look(count=look.count, details=details, whole=len(bags.names) == len(self.plan.columns))

    def _build_count_look(self) -> Look | None:
        """Of a database that was never seen to compare rows; it can count them."""
        if self.plan.strategy != "full":
            return None
        tables = (self.text.dest, self.text.table(self.plan.staging))
        counts = [f"(SELECT COUNT(*) FROM {table})" for table in tables]
        return Look(count=f"SELECT ABS({' - '.join(counts)}) FROM {self.text.product.one_row}", whole=False)

    def build_present(self) -> str:
        """The dest's rows that are equal to a staged one."""
        bags = self.build_bags()
        return bags.build_present() if bags else ""

    def build_bags(self) -> Bags | None:
        """Staged rows against the dest's, of a keyed plan those of the staged keys; None where nothing is compared."""
        plan, text = self.plan, self.text
        if not text.product.compares:
            return None
        first = plan.key or plan.row_key
        columns = sorted(plan.columns, key=lambda column: column.dest.name not in first)
        staged = [text.build_same(text.value(column), column.dest.type) for column in columns]
        held = [text.build_same(f"d.{text.quote(column.dest.name)}", column.dest.type) for column in columns]
        kept = [place for place, value in enumerate(staged) if value]
        scope = ""
        if plan.strategy in ("incremental", "upsert"):
            scope = self._build_scope("d")
        elif plan.strategy == "append" and plan.row_key:
            scope = self._build_known("d")
        if not kept:
            return None
        return Bags(
            names=[columns[place].dest.name for place in kept],
            staged=[staged[place] for place in kept],
            held=[held[place] for place in kept],
            staging=f"{text.table(plan.staging)} s",
            dest=f"{text.dest} d",
            scope=scope,
            keys=sum(columns[place].dest.name in first for place in kept),
            literal=text.literal,
            text=lambda value: text.product.as_text.format(value=value),
            join=text.join_texts,
        )

    def build_scope_where(self) -> str:
        """For an UPDATE of the dest rows `d` whose merge key was staged."""
        return f"\nWHERE {self._build_scope('d')}"

    # -- conditions ----------------------------------------------------------------------------------------------------

    def build_gone(self) -> str:
        """A condition for the dest rows `d` that the merge deletes; `""` for none of them."""
        plan = self.plan
        if plan.gone:
            return build_gone(plan, self._build_scope("d"), "d", self.text.quote)
        if plan.strategy == "full":
            return f"NOT {self._build_known('d')}" if plan.keeps else "1 = 1"
        if not plan.keeps:
            return self._build_scope("d")
        # With the whole row key in the merge key a row whose key was staged is there again.
        return (
            "" if set(plan.row_key) <= set(plan.key) else f"{self._build_scope('d')} AND NOT {self._build_known('d')}"
        )

    def _build_scope(self, alias: str) -> str:
        """Whether a row's merge key was staged."""
        return self._build_staged_with(self.plan.key, alias, self.plan.null_keys)

    def _build_known(self, alias: str) -> str:
        return self._build_staged_with(self.plan.row_key, alias, False)

    def _build_staged_with(self, key: Sequence[str], alias: str, nulls: bool) -> str:
        staging = self.text.table(self.plan.staging)
        return f"EXISTS (SELECT 1 FROM {staging} k WHERE {self._build_match(key, alias, 'k', nulls)})"

    def _build_match(self, key: Sequence[str], dest: str, staged: str, nulls: bool = False) -> str:
        return self.text.match(key, dest, staged, nulls)

    def _build_differs(self, column: StagedColumn) -> str:
        held, staged = f"d.{self.text.quote(column.dest.name)}", self.text.value(column, "k")
        return (
            f"{held} <> {staged} OR ({held} IS NULL AND {staged} IS NOT NULL)"
            f" OR ({held} IS NOT NULL AND {staged} IS NULL)"
        )

    def _child(self, reference: Reference) -> str:
        return self.text.dest if reference.is_own else self.text.table(reference.child)

    def _referring(self, reference: Reference, alias: str, condition: str) -> str:
        """Whether a row refers, perhaps through others, to a dest row `d` of a condition."""
        quote = self.text.quote
        pairs = list(zip(reference.columns, reference.referred, strict=True))
        if reference.parent is None:
            equal = " AND ".join(f"d.{quote(b)} = {alias}.{quote(a)}" for a, b in pairs)
            return f"EXISTS (SELECT 1 FROM {self.text.dest} d WHERE {equal} AND {condition})"
        inner = f"{alias}p"
        equal = " AND ".join(f"{inner}.{quote(b)} = {alias}.{quote(a)}" for a, b in pairs)
        parent = self.text.table(reference.parent.child)
        further = self._referring(reference.parent, inner, condition)
        return f"EXISTS (SELECT 1 FROM {parent} {inner} WHERE {equal} AND {further})"
