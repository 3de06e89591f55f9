# What a merge over JDBC would do, as rows to count and look at. Pure text, by the merge's own conditions.
"""`ForeseenText`, for one merge."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipekit.drivers.foreseen import Foreseen, Rows
from pipekit.drivers.jdbc.keeping import KeepingText
from pipekit.drivers.jdbc.phrases import MergePhrases


@dataclass(frozen=True, slots=True)
class ForeseenText:
    """`text` has the plan, the product and how things are quoted."""

    text: MergePhrases

    def build(self) -> Foreseen:
        """Every row that meets one counts as updated, as in the merge: not every product here compares rows."""
        text, plan = self.text, self.text.plan
        return Foreseen(
            rows=self._list_rows(),
            held=tuple(f"d.{text.quote(column.dest.name)}" for column in plan.columns),
            staged=tuple(text.value(column) for column in plan.columns),
        )

    def _list_rows(self) -> Mapping[str, tuple[Rows, ...]]:
        text, plan, keeping = self.text, self.text.plan, KeepingText(self.text)
        staging = f"{text.table(plan.staging)} s"
        all_staged = {"inserted": (Rows(source=f"FROM {staging}", staged=True),)}
        if plan.strategy == "append":
            return all_staged
        gone = keeping.build_gone() if plan.strategy != "upsert" else ""
        where = "" if gone == "1 = 1" else f" WHERE {gone}"
        deleted = {"deleted": (Rows(source=f"FROM {text.dest} d{where}", held=True),)} if gone else {}
        if plan.strategy in ("full", "incremental") and not plan.keeps:
            return deleted | all_staged
        same = keeping.build_known_pairs() if plan.keeps else text.match(plan.key, "d", "s", plan.null_keys)
        met = Rows(source=f"FROM {text.dest} d JOIN {staging} ON {same}", held=True, staged=True)
        missing = f"NOT EXISTS (SELECT 1 FROM {text.dest} d WHERE {same})"
        return deleted | {"updated": (met,), "inserted": (Rows(source=f"FROM {staging} WHERE {missing}", staged=True),)}
