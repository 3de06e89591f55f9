# One module of a definition file: what was read -> a checked record. Knows no state database.
"""`ModuleReader`: checks of a module that go beyond single fields."""

from collections.abc import Mapping
from typing import cast

from pipekit.definitions.problems import Problems
from pipekit.definitions.read import Read
from pipekit.definitions.records import HookDef, ModuleDef, WatermarkDef, find_spelling
from pipekit.drivers import KIND, get_driver
from pipekit.drivers.baddata import check_bad_data, check_query_timeout
from pipekit.drivers.sqltext import strip_query
from pipekit.engine.watermarks.places import PLACEHOLDER
from pipekit.errors import PipekitError
from pipekit.fields import list_fields
from pipekit.models import KEYED, WATERMARK_NAME, Column, Guards, ModuleFields, WatermarkFields
from pipekit.models.deleting import find_deleting_problem
from pipekit.models.expecting import find_expect_problem


class ModuleReader:
    """Reads modules; `spelling` holds the connections that may be named, `kinds` their drivers."""

    def __init__(self, problems: Problems, spelling: Mapping[str, str], kinds: Mapping[str, str]) -> None:
        self._problems = problems
        self._spelling = spelling
        self._kinds = kinds

    def read(self, name: str, read: Read) -> ModuleDef:
        """The module, with problems noted for what is wrong with it."""
        source, dest = self._reference(read, "source"), self._reference(read, "dest")
        self._check_query(read)
        self._check_reading(read, source)
        self._check_table(read, dest)
        parts = {
            "merge_key": self._key(read),
            "columns": self._columns(read["columns"], dest),
            "guards": Guards(**read["guards"].record(Guards)) if read["guards"] else Guards(),
        }
        module = ModuleDef(
            source=source,
            dest=dest,
            watermarks=self._watermarks(read["watermarks"]),
            hooks=_hooks(read["hooks"]),
            **{**read.record(ModuleFields, name), **parts},
        )
        field, problem = find_expect_problem(module)
        if problem:
            self._problems.add(read.line_of("expect"), read.path_of(field.replace("_", ".", 1)), problem)
        self._check_deleting(read, module)
        return module

    def _check_deleting(self, read: Read, module: ModuleDef) -> None:
        field, problem = find_deleting_problem(module)
        if problem:
            name = next(f.name for f in list_fields(ModuleFields) if f.own == field)
            self._problems.add(read.line_of(name.split(".")[0]), read.path_of(name), problem)

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

    def _check_reading(self, read: Read, source: str) -> None:
        kind = self._kinds.get(source, "")
        if KIND.match(kind):
            try:
                check_bad_data(get_driver(kind), read["bad_data"])
            except PipekitError as error:
                self._problems.add(read.line_of("bad_data"), read.path_of("bad_data"), error.message)
        if KIND.match(kind) and (limits := read["timeouts"]):
            try:
                check_query_timeout(get_driver(kind), limits["query_s"])
            except PipekitError as error:
                self._problems.add(limits.line_of("query_s"), limits.path_of("query_s"), error.message)

    def _check_table(self, read: Read, dest: str) -> None:
        kind = self._kinds.get(dest, "")
        if read["table"] and KIND.match(kind):
            try:
                # What a variable stands for is looked at when it is run.
                get_driver(kind).parse_table(PLACEHOLDER.sub("x", read["table"]))
            except PipekitError as error:
                self._problems.add(read.line_of("table"), read.path_of("table"), error.message)

    def _check_type(self, read: Read, dest: str) -> None:
        kind = self._kinds.get(dest, "")
        if read["dest_type"] and KIND.match(kind):
            try:
                get_driver(kind).check_type(read["dest_type"])
            except PipekitError as error:
                told = f"{error.message} {error.hint}".strip()
                self._problems.add(read.line_of("dest_type"), read.path_of("dest_type"), told)

    def _key(self, read: Read) -> tuple[str, ...]:
        key: tuple[str, ...] = read["key"] or ()
        strategy = read["strategy"]
        if not key and strategy in KEYED:
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
                WatermarkDef(connection=self._reference(read, "connection"), **read.record(WatermarkFields, name))
            )
        return tuple(sorted(found, key=lambda item: item.name))

    def _columns(self, reads: list[Read], dest: str) -> tuple[Column, ...]:
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
            self._check_type(read, dest)
            columns.append(Column(**{**read.record(Column), "id": read["id"] or next(free)}))
        return tuple(columns)


def _hooks(reads: list[Read]) -> tuple[HookDef, ...]:
    hooks = [HookDef(**read.record(HookDef)) for read in reads]
    return tuple(sorted(hooks, key=lambda hook: hook.run_order))
