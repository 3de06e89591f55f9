# The transaction in which a new table takes the dest's place in PostgreSQL. Pure text; knows no connection.
"""`build_swap`: what its statements wait for, what they look at under the lock, and what they do then.

Whoever asks for a table waits behind those who asked before him. So the lock is asked for again and again, each time
for a moment only, and readers pass in between. Autovacuum gives way only to those who wait for a second: it is met
first, by a lock that no reader and no writer minds.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from pipekit.drivers.base import MergePlan, TableName
from pipekit.drivers.postgresql.joins import name_dest
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.postgresql.rebuild import build_comment
from pipekit.drivers.postgresql.settings import LOCK_TIMEOUT_S, PINNED
from pipekit.drivers.postgresql.swap.carrying import list_options, name_apart, quote_apart
from pipekit.drivers.postgresql.swap.shape import Shape, build_differing_sql
from pipekit.drivers.postgresql.undo import build_copy, build_counts, build_images
from pipekit.runner_contract import Statement

LIMIT_S: float = LOCK_TIMEOUT_S
TRY_MS = 50
PAUSE_S = 0.2
_IN_LINE = ". With `load: auto` a merge waits in line, and readers behind it."
_SAYS = "pipekit.swap"

_WAIT = """\
DECLARE
  given_up timestamptz := pg_catalog.clock_timestamp() + interval '{limit_s} s';
  told text;
BEGIN
  PERFORM pg_catalog.set_config('{says}', '', true);
  BEGIN
    LOCK TABLE {dest} IN SHARE UPDATE EXCLUSIVE MODE;
    told := 'free';
  EXCEPTION WHEN lock_not_available THEN
    told := NULL;
  END;
  PERFORM pg_catalog.set_config('lock_timeout', '{try_ms}ms', true);
  WHILE told IS NOT NULL LOOP
    BEGIN
      {refer}LOCK TABLE {dest} IN ACCESS EXCLUSIVE MODE;
      EXECUTE pg_catalog.current_setting('pipekit.look') INTO told;
      IF told IS NOT NULL THEN
        PERFORM pg_catalog.set_config('{says}', {changed} || told, true);
      {release}END IF;
      PERFORM pg_catalog.set_config('lock_timeout', '{lock_timeout}', true);
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      told := 'held';
    END;
    EXIT WHEN pg_catalog.clock_timestamp() > given_up;
    PERFORM pg_catalog.pg_sleep({pause_s});
  END LOOP;
  SELECT pg_catalog.string_agg(DISTINCT CASE WHEN a.pid IS NULL THEN 'a prepared transaction'
      ELSE pg_catalog.format('process %s (%s%s%s)', a.pid, coalesce(a.usename, a.backend_type),
        CASE WHEN a.application_name <> '' THEN ', ' || a.application_name END,
        ', its transaction began at ' || pg_catalog.to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS') || ' UTC') END, '; ')
    INTO told FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.granted AND l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
      AND l.relation IN ({tables});
  PERFORM pg_catalog.set_config('{says}', {held} || coalesce(told, {nobody}) || {in_line}, true);
END"""

_VERIFY = """\
DECLARE
  told text;
BEGIN
  EXECUTE pg_catalog.current_setting('pipekit.look') INTO told;
  PERFORM pg_catalog.set_config('{says}', {unlike} || told, true) WHERE told IS NOT NULL;
END"""


def build_swap(plan: MergePlan, shape: Shape) -> tuple[Statement, ...]:
    """The merge: the rows that go are counted, the lock is waited for, and one table goes where the other was.

    Those that come are as many as COPY has said, for it commits all of them or none: a look at one is enough to see
    that the server has not forgotten them in a crash.

    What the dest is then is held against what it was when the run began, before and after.
    """
    rows = (
        f"SELECT pg_catalog.set_config('pipekit.rows', CAST(pg_catalog.count(*) AS text), true) FROM {name_dest(plan)}"
    )
    arrived = f"SELECT CASE WHEN EXISTS (SELECT FROM {quote_table(plan.staging)}) THEN 1 ELSE 0 END"
    look = build_differing_sql(quote_text, plan.dest, shape)
    return (
        Statement(sql=f"LOCK TABLE {quote_table(plan.staging)} IN ACCESS EXCLUSIVE MODE"),
        Statement(sql=arrived, name="arrived", value=True),
        *_build_kept(plan),
        Statement(sql=rows, name="before", value=True),
        Statement(sql="SELECT pg_catalog.current_setting('pipekit.rows')", name="deleted", value=True),
        Statement(sql=f"SELECT pg_catalog.set_config('pipekit.look', {quote_text(look)}, true) IS NULL"),
        Statement(sql=_build_wait(plan, shape)),
        _build_verdict("waited", "Run it again."),
        Statement(sql=";\n".join(_build_change(plan, shape))),
        Statement(sql=_build_verify(plan)),
        _build_verdict("carried", "Use `load: auto`, which keeps the table."),
    )


def name_replaced(images: TableName) -> TableName:
    """What the replaced table is called where it is kept, so that the run can be taken back."""
    return TableName(schema=images.schema, name=f"{images.name}.old")


def _build_kept(plan: MergePlan) -> tuple[Statement, ...]:
    """The rows that come, as the run leaves them: copied before readers have to wait."""
    if plan.undo is None:
        return ()
    rows = build_copy(plan, plan.undo, 1, quote_table(plan.staging))
    return (*build_images(plan), rows, *build_counts(plan.undo))


def _build_end(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """The replaced table goes, or stays as rows alone in the staging schema, where nothing else is called so."""
    dest = quote_table(plan.dest)
    if plan.undo is None:
        yield f"DROP TABLE {dest}"
        return
    for trigger in shape.list("triggers"):
        yield f"DROP TRIGGER {quote_identifier(trigger['name'])} ON {dest}"
    for item in shape.list("statistics"):
        yield f"DROP STATISTICS {item['called']}"
    for sequence in shape.list("sequences"):
        gone = "IDENTITY" if sequence["identity"] else "DEFAULT"
        yield f"ALTER TABLE {dest} ALTER COLUMN {quote_identifier(sequence['column'])} DROP {gone}"
    for index in shape.list("indexes"):
        name, placed = quote_identifier(index["name"]), TableName(schema=plan.dest.schema, name=index["name"])
        constraint = f"ALTER TABLE {dest} DROP CONSTRAINT {name}"
        yield constraint if index["kind"] else f"DROP INDEX {quote_table(placed)}"
    replaced = name_replaced(plan.undo.images)
    yield f"ALTER TABLE {dest} RENAME TO {quote_identifier(replaced.name)}"
    moved = quote_table(TableName(schema=plan.dest.schema, name=replaced.name))
    yield f"ALTER TABLE {moved} SET SCHEMA {quote_identifier(replaced.schema or '')}"


def _build_verdict(name: str, hint: str) -> Statement:
    """Ends the transaction where a block has left a word."""
    has_word = f"SELECT CASE WHEN pg_catalog.current_setting('{_SAYS}') = '' THEN 0 ELSE 1 END"
    details = f"SELECT pg_catalog.current_setting('{_SAYS}')"
    return Statement(sql=has_word, name=name, value=True, refusal="{told}", details=details, hint=hint)


def _build_block(body: str) -> str:
    """A block of the server's own language; no name in it ends the text."""
    tag = next(tag for tag in (f"$pipekit{'_' * number}$" for number in count()) if tag not in body)
    return f"DO {tag}\n{body} {tag}"


def _build_verify(plan: MergePlan) -> str:
    unlike = quote_text(f"A table in the place of {plan.dest} would differ in: ")
    return _build_block(_VERIFY.format(says=_SAYS, unlike=unlike))


def _build_wait(plan: MergePlan, shape: Shape) -> str:
    dest, staging = quote_table(plan.dest), quote_table(plan.staging)
    keys = [item for item in shape.list("constraints") if item["kind"] == "f"]
    refer = [f"ALTER TABLE {staging} ADD CONSTRAINT {quote_identifier(k['name'])} {_refer(k, staging)}" for k in keys]
    # Dropped with the table they would lock the tables they refer to for as long as those are read.
    release = [f"ALTER TABLE {dest} DROP CONSTRAINT {quote_identifier(key['name'])}" for key in keys]
    tables = dict.fromkeys([dest, *(key["refers"] for key in keys)])
    body = _WAIT.format(
        limit_s=LIMIT_S,
        try_ms=TRY_MS,
        pause_s=PAUSE_S,
        says=_SAYS,
        dest=dest,
        lock_timeout=PINNED["lock_timeout"],
        refer="".join(f"{text};\n      " for text in refer),
        release="ELSE\n" + "".join(f"        {text};\n" for text in release) + "      " if release else "",
        tables=", ".join(f"CAST({quote_text(name)} AS pg_catalog.regclass)" for name in tables),
        changed=quote_text(f"{plan.dest} is not what it was when the run began; nothing was merged. It differs in: "),
        held=quote_text(f"{plan.dest} could not be swapped within {LIMIT_S:g} s; nothing was merged. It is held by "),
        nobody=quote_text("nobody any more"),
        in_line=quote_text(_IN_LINE),
    )
    return _build_block(body)


def _refer(key: dict[str, Any], staging: str) -> str:
    """The definition of a foreign key, where it refers to its own table to the new one."""
    text: str = key["definition"]
    return text.replace(f" REFERENCES {key['refers']}(", f" REFERENCES {staging}(", 1) if key["own"] else text


def _build_change(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """Everything that is done under the lock; the catalogue only."""
    dest, staging = quote_table(plan.dest), quote_table(plan.staging)
    sequences = shape.list("sequences")
    for number, sequence in enumerate(sequences):
        yield from _build_numbers(plan, sequence, number)
    yield from _build_end(plan, shape)
    yield f"ALTER TABLE {staging} RENAME TO {quote_identifier(name_apart(plan.staging, 't'))}"
    yield f"ALTER TABLE {quote_apart(plan.staging, 't')} SET SCHEMA {quote_identifier(plan.dest.schema or '')}"
    yield f"ALTER TABLE {_place(plan, 't')} RENAME TO {quote_identifier(plan.dest.name)}"
    for number, index in enumerate(shape.list("indexes")):
        yield f"ALTER INDEX {_place(plan, number)} RENAME TO {quote_identifier(index['name'])}"
    for number, sequence in enumerate(sequences):
        if sequence["identity"]:
            yield f"ALTER SEQUENCE {_place(plan, f'q{number}')} RENAME TO {quote_identifier(sequence['name'])}"
    yield f"ALTER TABLE {dest} OWNER TO {shape.table['owner']}"
    for sequence in sequences:
        yield from _build_sequence(plan, shape, sequence)
    yield build_comment("TABLE", dest, shape.table["comment"])
    yield from _build_awake(plan, shape)
    if shape.table["replica"] in ("f", "n"):
        yield f"ALTER TABLE {dest} REPLICA IDENTITY {'FULL' if shape.table['replica'] == 'f' else 'NOTHING'}"
    yield from _build_statistics(plan, shape)
    yield from _build_triggers(plan, shape)
    for key in shape.list("constraints"):
        if key["kind"] == "f" and key["comment"] is not None:
            yield build_comment("CONSTRAINT", f"{quote_identifier(key['name'])} ON {dest}", key["comment"])
    # Last, as an owner may have taken rights from himself that the others of these statements ask for.
    yield from _build_table_rights(plan, shape)


def _place(plan: MergePlan, what: object) -> str:
    return quote_table(TableName(schema=plan.dest.schema, name=name_apart(plan.staging, what)))


def _name_sequence(plan: MergePlan, sequence: dict[str, Any]) -> str:
    return quote_table(TableName(schema=plan.dest.schema, name=sequence["name"]))


def _build_numbers(plan: MergePlan, sequence: dict[str, Any], number: int) -> Iterator[str]:
    """An identity's numbers go on in a sequence of the new table, a serial's sequence comes along."""
    name = _name_sequence(plan, sequence)
    if not sequence["identity"]:
        yield f"ALTER SEQUENCE {name} OWNED BY NONE"
        return
    alter = f"ALTER TABLE {quote_table(plan.staging)} ALTER COLUMN {quote_identifier(sequence['column'])}"
    always = "ALWAYS" if sequence["always"] else "BY DEFAULT"
    own = quote_apart(plan.staging, f"q{number}")
    yield f"{alter} DROP DEFAULT"
    yield (
        f"{alter} ADD GENERATED {always} AS IDENTITY (SEQUENCE NAME {own} START WITH {sequence['start']}"
        f" INCREMENT BY {sequence['increment']} MINVALUE {sequence['low']} MAXVALUE {sequence['high']}"
        f" CACHE {sequence['cache']}{'' if sequence['cycle'] else ' NO'} CYCLE)"
    )
    yield f"SELECT pg_catalog.setval({quote_text(own)}, q.last_value, q.is_called) FROM {name} AS q"


def _build_sequence(plan: MergePlan, shape: Shape, sequence: dict[str, Any]) -> Iterator[str]:
    name = _name_sequence(plan, sequence)
    if not sequence["identity"]:
        yield f"ALTER SEQUENCE {name} OWNED BY {quote_table(plan.dest)}.{quote_identifier(sequence['column'])}"
        return
    if sequence["rights"] != shape.around["sequence_rights"] or shape.around["opened"]:
        yield from _build_rights(shape, f"SEQUENCE {name}", sequence["rights"])
    if sequence["comment"] is not None:
        yield build_comment("SEQUENCE", name, sequence["comment"])


def _build_table_rights(plan: MergePlan, shape: Shape) -> Iterator[str]:
    dest = quote_table(plan.dest)
    if shape.table["rights"] != shape.around["rights"] or shape.around["opened"]:
        yield from _build_rights(shape, f"TABLE {dest}", shape.table["rights"])
    for column in shape.list("columns"):
        yield from _build_grants(f"TABLE {dest}", column["rights"] or [], f" ({quote_identifier(column['name'])})")


def _build_rights(shape: Shape, name: str, rights: Sequence[Sequence[Any]] | None) -> Iterator[str]:
    """As they were: what is open by default to others is closed first."""
    everybody = dict.fromkeys([shape.table["owner"], *(shape.around["opened"] or [])])
    yield f"REVOKE ALL ON {name} FROM {', '.join(everybody)}"
    yield from _build_grants(name, rights or [], "")


def _build_grants(name: str, rights: Sequence[Sequence[Any]], columns: str) -> Iterator[str]:
    grouped: dict[tuple[str, bool], list[str]] = {}
    for who, right, may_hand_on in rights:
        grouped.setdefault((who, may_hand_on), []).append(f"{right}{columns}")
    for (who, may_hand_on), given in grouped.items():
        yield f"GRANT {', '.join(given)} ON {name} TO {who}{' WITH GRANT OPTION' if may_hand_on else ''}"


def _build_awake(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """Autovacuum looks after the table again, unless it did not before."""
    dest, own = quote_table(plan.dest), list_options(shape)
    name = "autovacuum_enabled"
    yield f"ALTER TABLE {dest} " + (f"SET ({name} = {quote_text(own[name])})" if name in own else f"RESET ({name})")


def _build_statistics(plan: MergePlan, shape: Shape) -> Iterator[str]:
    for number, item in enumerate(shape.list("statistics")):
        schema = quote_identifier(item["schema"])
        own = quote_identifier(name_apart(plan.staging, f"s{number}"))
        yield f"ALTER STATISTICS {quote_apart(plan.staging, f's{number}')} SET SCHEMA {schema}"
        yield f"ALTER STATISTICS {schema}.{own} RENAME TO {quote_identifier(item['name'])}"
        yield f"ALTER STATISTICS {item['called']} OWNER TO {item['owner']}"


def _build_triggers(plan: MergePlan, shape: Shape) -> Iterator[str]:
    dest = quote_table(plan.dest)
    states = {"D": "DISABLE TRIGGER", "R": "ENABLE REPLICA TRIGGER", "A": "ENABLE ALWAYS TRIGGER"}
    for trigger in shape.list("triggers"):
        name = quote_identifier(trigger["name"])
        yield trigger["definition"]
        if trigger["enabled"] in states:
            yield f"ALTER TABLE {dest} {states[trigger['enabled']]} {name}"
        if trigger["comment"] is not None:
            yield build_comment("TRIGGER", f"{name} ON {dest}", trigger["comment"])
