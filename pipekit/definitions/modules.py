# One module of a definition file: what was read -> a checked record. Knows no state database.
"""`ModuleReader`: checks of a module that go beyond single fields."""

from collections.abc import Mapping
from typing import cast

from pipekit.definitions.problems import Problems
from pipekit.definitions.read import Read
from pipekit.definitions.records import HookDef, ModuleDef, WatermarkDef, find_spelling
from pipekit.drivers import KIND, get_driver
from pipekit.drivers.sqltext import strip_query
from pipekit.errors import PipekitError
from pipekit.fields import list_fields
from pipekit.models import WATERMARK_NAME, Column, Guards, as_strategy


class ModuleReader:
    """Reads modules; `spelling` holds the connections that may be named, `kinds` their drivers."""

    def __init__(self, problems: Problems, spelling: Mapping[str, str], kinds: Mapping[str, str]) -> None:
        self._problems = problems
        self._spelling = spelling
        self._kinds = kinds

    def read(self, name: str, read: Read) -> ModuleDef:
        """The module, with problems noted for what is wrong with it."""
        dest = self._reference(read, "dest")
        self._check_query(read)
        self._check_table(read, dest)
        key = self._key(read)
        timeouts: Read | None = read["timeouts"]
        return ModuleDef(
            name=name,
            source=self._reference(read, "source"),
            query=read["query"] or "",
            dest=dest,
            table=read["table"] or "",
            strategy=as_strategy(read["strategy"]),
            key=key,
            create_table=read["create_table"],
            trim_char=read["trim_char"],
            enabled=read["enabled"],
            match=read["match"],
            watermarks=self._watermarks(read["watermarks"]),
            hooks=_hooks(read["hooks"]),
            columns=self._columns(read["columns"]),
            guards=_guards(read["guards"]),
            retries=int(read["retries"]),
            silence_s=timeouts["silence_s"] if timeouts else None,
            run_s=timeouts["run_s"] if timeouts else None,
        )

    def _reference(self, read: Read, name: str) -> str:
        given = cast(str | None, read[name])
        if given is None:
            return ""
        found = find_spelling(given, self._spelling)
        if found is None:
            self._problems.add(read.line_of(name), read.path_of(name), f"There is no connection '{given}'.")
        return found or given

    def _check_query(self, read: Read) -> None:
        if read["query"]:
            try:
                strip_query(read["query"])
            except PipekitError as error:
                told = f"{error.message} {error.hint}".strip()
                self._problems.add(read.line_of("query"), read.path_of("query"), told)

    def _check_table(self, read: Read, dest: str) -> None:
        kind = self._kinds.get(dest, "")
        if read["table"] and KIND.match(kind):
            try:
                get_driver(kind).parse_table(read["table"])
            except PipekitError as error:
                self._problems.add(read.line_of("table"), read.path_of("table"), error.message)

    def _key(self, read: Read) -> tuple[str, ...]:
        key: tuple[str, ...] = read["key"] or ()
        strategy = read["strategy"]
        if not key and strategy in ("incremental", "upsert"):
            told = f"The strategy '{strategy}' needs a merge key."
            self._problems.add(read.line_of("strategy"), read.path_of("key"), told)
        if len(set(key)) < len(key):
            self._problems.add(read.line_of("key"), read.path_of("key"), "A column stands twice in the merge key.")
        return key

    def _watermarks(self, reads: Mapping[str, Read]) -> tuple[WatermarkDef, ...]:
        found = []
        for name, read in reads.items():
            if not WATERMARK_NAME.match(name):
                told = "A watermark's name has letters, digits and _, not a digit first; the query uses it as {name}."
                self._problems.add(read.line, read.path, told)
            found.append(
                WatermarkDef(
                    name=name,
                    connection=self._reference(read, "connection"),
                    sql=read["sql"] or "",
                    default=read["default"],
                )
            )
        return tuple(sorted(found, key=lambda item: item.name))

    def _columns(self, reads: list[Read]) -> tuple[Column, ...]:
        columns: list[Column] = []
        taken = {read["id"] for read in reads if read["id"]}
        free = iter(name for name in (f"c{i}" for i in range(1, 2 * len(reads) + 2)) if name not in taken)
        seen: dict[str, set[str]] = {"id": set(), "source_name": set(), "dest_name": set()}
        for read in reads:
            for name, values in seen.items():
                text = read[name] or ""
                if text and text in values:
                    self._problems.add(read.line_of(name), read.path_of(name), f"'{read[name]}' stands twice.")
                values.add(text)
            columns.append(
                Column(
                    id=read["id"] or next(free),
                    source_name=read["source_name"] or "",
                    source_type=read["source_type"] or "",
                    dest_name=read["dest_name"] or "",
                    dest_type=read["dest_type"] or "",
                )
            )
        return tuple(columns)


def _hooks(reads: list[Read]) -> tuple[HookDef, ...]:
    hooks = [HookDef(sql=r["sql"] or "", run_on=r["run_on"], run_order=int(r["run_order"])) for r in reads]
    return tuple(sorted(hooks, key=lambda hook: hook.run_order))


def _guards(read: Read | None) -> Guards:
    return Guards(**{f.name: read[f.name] for f in list_fields(Guards)}) if read else Guards()
