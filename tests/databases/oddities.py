# What a dest may have about it, and what each strategy does then: the one table for the tests and for docs/dests.md.
"""`ODDITIES`, and `python -m tests.databases.oddities KIND`, which prints a kind's table for the page.

Every dest is a table `t (id, v)` with the rows 1 to 3, unless its setup says otherwise; the query brings 2 to 4, for
`append` only 4. An outcome is `loads` (the dest holds what the strategy promises, nothing else has changed), `refuses`
(nothing has changed) or `tells` (it loads what a switch allows, and the record says so), and a word that is said.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

STRATEGIES = ("full", "incremental", "append", "upsert")

Outcome = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Oddity:
    """`setup` is SQL after `t` and its rows are there; `others` asks for what must stay as it is.

    `outcomes` has one for all strategies, or one for each. `query` stands in place of the usual one, `dest` of `t`.
    """

    kind: str
    name: str
    setup: str
    outcomes: Outcome | Mapping[str, Outcome]
    guards: Mapping[str, Any] = field(default_factory=dict)
    others: str = ""
    dest: str = "t"
    login: str = ""
    query: str = ""
    key: str = "id"

    def get_outcome(self, strategy: str) -> Outcome:
        """What the strategy does."""
        return self.outcomes if isinstance(self.outcomes, tuple) else self.outcomes[strategy]


def _each(full: Outcome, incremental: Outcome, append: Outcome, upsert: Outcome) -> dict[str, Outcome]:
    return dict(zip(STRATEGIES, (full, incremental, append, upsert), strict=True))


LOADS: Outcome = ("loads", "")
FIRED: Outcome = ("loads", "fired")

_SETS = """CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
CREATE TRIGGER acts {when} ON t FOR EACH ROW EXECUTE FUNCTION act();"""
_CHILD = """CREATE TABLE c (n integer, t_id integer DEFAULT 3 REFERENCES t {action});
INSERT INTO c VALUES (1, {parent});"""
_CHILD_ROWS = "SELECT * FROM c"


def _trigger(when: str, body: str) -> str:
    return _SETS.format(when=when, body=body)


def _list_children() -> Iterator[Oddity]:
    for action in ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION DEFERRABLE"):
        clause = f"ON DELETE {action}"
        yield Oddity(
            kind="postgresql",
            name=f"a child by `{clause}` of a row that comes again",
            setup=_CHILD.format(action=clause, parent=2),
            outcomes=_each(("loads", "stay where they are"), ("loads", "stay where they are"), LOADS, LOADS),
            others=_CHILD_ROWS,
        )
        said = "still refer" if "ACTION" in action or action == "RESTRICT" else "1 rows of public.c (t_id)"
        yield Oddity(
            kind="postgresql",
            name=f"a child by `{clause}` of a row that is gone",
            setup=_CHILD.format(action=clause, parent=1),
            outcomes=_each(("refuses", said), LOADS, LOADS, LOADS),
            others=_CHILD_ROWS,
        )


POSTGRESQL: tuple[Oddity, ...] = (
    Oddity(
        kind="postgresql",
        name="a trigger that sets a column the query feeds",
        setup=_trigger("BEFORE INSERT OR UPDATE", "NEW.v := 'other'; RETURN NEW;"),
        outcomes=("refuses", "v ("),
    ),
    Oddity(
        kind="postgresql",
        name="the same, with `dest_truth: false`",
        setup=_trigger("BEFORE INSERT OR UPDATE", "NEW.v := 'other'; RETURN NEW;"),
        outcomes=("tells", "not as they were staged: trigger acts"),
        guards={"dest_truth": False},
    ),
    Oddity(
        kind="postgresql",
        name="a trigger that sets a column afterwards",
        setup=_trigger(
            "AFTER INSERT OR UPDATE", "UPDATE t SET v = 'other' WHERE id = NEW.id AND v <> 'other'; RETURN NULL;"
        ),
        outcomes=("refuses", "trigger acts"),
    ),
    Oddity(
        kind="postgresql",
        name="a trigger that sets a column the query does not feed",
        setup="ALTER TABLE t ADD at timestamptz;"
        + _trigger("BEFORE INSERT OR UPDATE", "NEW.at := pg_catalog.now(); RETURN NEW;"),
        outcomes=FIRED,
    ),
    Oddity(
        kind="postgresql",
        name="a trigger that drops a row",
        setup=_trigger("BEFORE INSERT", "IF NEW.id = 4 THEN RETURN NULL; END IF; RETURN NEW;"),
        outcomes=("refuses", "rows that are not there: 1"),
    ),
    Oddity(
        kind="postgresql",
        name="a trigger that adds a row",
        setup=_trigger(
            "AFTER INSERT",
            "IF NEW.id < 9 THEN INSERT INTO t VALUES (NEW.id + 10, 'x') ON CONFLICT DO NOTHING; END IF; RETURN NULL;",
        ),
        outcomes=_each(("refuses", "rows that were not staged: 3"), FIRED, ("refuses", "2 rows more"), FIRED),
    ),
    Oddity(
        kind="postgresql",
        name="a trigger that keeps deleted rows",
        setup=_trigger("BEFORE DELETE", "RETURN NULL;"),
        outcomes=_each(LOADS, ("refuses", "unique"), LOADS, LOADS),
    ),
    Oddity(
        kind="postgresql",
        name="the same on a table without a key, and no right to TRUNCATE",
        setup="ALTER TABLE t DROP CONSTRAINT t_pkey;" + _trigger("BEFORE DELETE", "RETURN NULL;"),
        outcomes=_each(
            ("refuses", "rows that were not staged: 3"), ("refuses", "rows that were not staged: 2"), LOADS, LOADS
        ),
        login="clerk",
    ),
    Oddity(
        kind="postgresql",
        name="a rule that keeps deleted rows, on a table without a key",
        setup="ALTER TABLE t DROP CONSTRAINT t_pkey; CREATE RULE keeps AS ON DELETE TO t DO INSTEAD NOTHING",
        outcomes=_each(LOADS, ("refuses", "rule keeps"), LOADS, LOADS),
    ),
    Oddity(
        kind="postgresql",
        name="a rule that sends rows elsewhere",
        setup="CREATE TABLE o (id integer, v text);"
        "CREATE RULE sends AS ON INSERT TO t DO INSTEAD INSERT INTO o VALUES (NEW.id, NEW.v)",
        outcomes=("refuses", "rule sends"),
        others="SELECT * FROM o",
    ),
    Oddity(
        kind="postgresql",
        name="a view of one table",
        setup="CREATE VIEW w AS SELECT id, v FROM t",
        outcomes=("loads", "view public.w"),
        dest="w",
    ),
    Oddity(
        kind="postgresql",
        name="a view that shows some rows",
        setup="CREATE VIEW w AS SELECT id, v FROM t WHERE id < 4",
        outcomes=("refuses", "view public.w"),
        dest="w",
    ),
    Oddity(
        kind="postgresql",
        name="the same `WITH CHECK OPTION`",
        setup="CREATE VIEW w AS SELECT id, v FROM t WHERE id < 4 WITH CHECK OPTION",
        outcomes=("refuses", "check option"),
        dest="w",
    ),
    Oddity(
        kind="postgresql",
        name="a view whose `INSTEAD OF` trigger writes something else",
        setup="""CREATE VIEW w AS SELECT id, v FROM t;
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF TG_OP = 'DELETE' THEN DELETE FROM t WHERE id = OLD.id; RETURN OLD; END IF;
IF TG_OP = 'UPDATE' THEN UPDATE t SET v = upper(NEW.v) WHERE id = OLD.id; RETURN NEW; END IF;
INSERT INTO t VALUES (NEW.id, upper(NEW.v)); RETURN NEW; END $$;
CREATE TRIGGER acts INSTEAD OF INSERT OR UPDATE OR DELETE ON w FOR EACH ROW EXECUTE FUNCTION act()""",
        outcomes=("refuses", "trigger acts"),
        dest="w",
    ),
    Oddity(
        kind="postgresql",
        name="a view of a table that a child refers to by `ON DELETE CASCADE`",
        setup=_CHILD.format(action="ON DELETE CASCADE", parent=2) + "CREATE VIEW w AS SELECT id, v FROM t",
        outcomes=_each(("refuses", "reached through the view public.w"), ("refuses", "through the view"), FIRED, FIRED),
        others=_CHILD_ROWS,
        dest="w",
    ),
    *_list_children(),
    Oddity(
        kind="postgresql",
        name="a child by `ON DELETE CASCADE` of a row that is gone, with `children: true`",
        setup=_CHILD.format(action="ON DELETE CASCADE", parent=1),
        outcomes=_each(("tells", "1 rows of public.c (t_id) deleted"), LOADS, LOADS, LOADS),
        guards={"children": True},
    ),
    Oddity(
        kind="postgresql",
        name="a child that keeps its rows, and a grandchild by `ON DELETE CASCADE` of a row that is gone",
        setup="""CREATE TABLE c (n integer PRIMARY KEY REFERENCES t ON DELETE CASCADE);
CREATE TABLE g (n integer REFERENCES c ON DELETE SET NULL); INSERT INTO c VALUES (1); INSERT INTO g VALUES (1), (1)""",
        outcomes=_each(("refuses", "rows of public.c"), LOADS, LOADS, LOADS),
        others="SELECT * FROM g",
    ),
    Oddity(
        kind="postgresql",
        name="a child by `ON UPDATE CASCADE` of a column that changes",
        setup="""ALTER TABLE t ADD UNIQUE (v);
CREATE TABLE c (t_v text REFERENCES t (v) ON UPDATE CASCADE); INSERT INTO c VALUES ('old2')""",
        outcomes=_each(
            ("refuses", "rows of public.c"), ("refuses", "rows of public.c"), LOADS, ("refuses", "ON UPDATE")
        ),
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="postgresql",
        name="the same and a grandchild by `ON UPDATE CASCADE`, with `children: true`",
        setup="""ALTER TABLE t ADD UNIQUE (v);
CREATE TABLE c (t_v text UNIQUE REFERENCES t (v) ON UPDATE CASCADE); INSERT INTO c VALUES ('old2');
CREATE TABLE g (c_v text REFERENCES c (t_v) ON UPDATE CASCADE); INSERT INTO g VALUES ('old2'), ('old2')""",
        outcomes=_each(
            ("tells", "2 rows of public.g (c_v) changed"),
            ("tells", "2 rows of public.g (c_v) changed"),
            LOADS,
            ("tells", "2 rows of public.g (c_v) changed"),
        ),
        guards={"children": True},
    ),
    Oddity(
        kind="postgresql",
        name="a child of a key that the query does not feed, and another key that it feeds",
        setup="""ALTER TABLE t DROP CONSTRAINT t_pkey, ADD UNIQUE (id), ADD number serial PRIMARY KEY;
CREATE TABLE c (t_number integer REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (2)""",
        outcomes=_each(("loads", "(by id)"), ("loads", "(by id)"), LOADS, LOADS),
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="postgresql",
        name="a child of a key that the query does not feed, and no other key",
        setup="""ALTER TABLE t DROP CONSTRAINT t_pkey, ADD number serial PRIMARY KEY;
CREATE TABLE c (t_number integer REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (2)""",
        outcomes=_each(("refuses", "feed a unique key"), ("refuses", "feed a unique key"), LOADS, LOADS),
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="postgresql",
        name="a child whose rows the login may not read",
        setup=_CHILD.format(action="ON DELETE CASCADE", parent=2) + "REVOKE ALL ON c FROM clerk",
        outcomes=_each(("refuses", "this login may not read it"), LOADS, LOADS, LOADS),
        others=_CHILD_ROWS,
        login="clerk",
    ),
    Oddity(
        kind="postgresql",
        name="rows that refer to other rows of the table by `ON DELETE CASCADE`",
        setup="ALTER TABLE t ADD up integer REFERENCES t ON DELETE CASCADE; UPDATE t SET up = 2 WHERE id = 1",
        outcomes=_each(LOADS, ("loads", "stay where they are"), LOADS, LOADS),
    ),
    Oddity(
        kind="postgresql",
        name="row security that hides rows from the login",
        setup="ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY sees ON t USING (id > 1)",
        outcomes=_each(
            ("refuses", "row_security: true"),
            ("refuses", "row_security: true"),
            LOADS,
            ("refuses", "row_security: true"),
        ),
        login="clerk",
    ),
    Oddity(
        kind="postgresql",
        name="the same, with `row_security: true`",
        setup="ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY sees ON t USING (id > 1)",
        outcomes=_each(
            ("tells", "only the rows that the login 'clerk' may see"), ("loads", "may see"), LOADS, ("loads", "may see")
        ),
        guards={"row_security": True},
        others="SELECT * FROM t WHERE id = 1",
        login="clerk",
    ),
    Oddity(
        kind="postgresql",
        name="tables that inherit from it",
        setup="CREATE TABLE kid (w integer) INHERITS (t); INSERT INTO kid VALUES (2, 'kid', 3)",
        outcomes=LOADS,
        others="SELECT * FROM kid",
    ),
    Oddity(
        kind="postgresql",
        name="a table that inherits from it and is referred to",
        setup="""CREATE TABLE kid (w integer PRIMARY KEY) INHERITS (t); CREATE TABLE r (w integer REFERENCES kid);
INSERT INTO kid VALUES (2, 'kid', 3); INSERT INTO r VALUES (3)""",
        outcomes=LOADS,
        others="SELECT * FROM kid",
    ),
    Oddity(
        kind="postgresql",
        name="partitions",
        setup="""DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (3); CREATE TABLE t2 PARTITION OF t DEFAULT;
INSERT INTO t VALUES (1, 'old1'), (2, 'old2'), (3, 'old3')""",
        outcomes=LOADS,
    ),
    Oddity(
        kind="postgresql",
        name="partitions, one with a trigger that sets a column",
        setup="""DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (4); CREATE TABLE t2 PARTITION OF t DEFAULT;
INSERT INTO t VALUES (1, 'old1'), (2, 'old2'), (3, 'old3');"""
        + _trigger("BEFORE INSERT OR UPDATE", "NEW.v := 'other'; RETURN NEW;").replace("ON t ", "ON t2 "),
        outcomes=("refuses", "v (1 differ"),
    ),
    Oddity(
        kind="postgresql",
        name="partitions and a child by `ON DELETE CASCADE`",
        setup="""DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (3); CREATE TABLE t2 PARTITION OF t DEFAULT;
INSERT INTO t VALUES (1, 'old1'), (2, 'old2'), (3, 'old3');"""
        + _CHILD.format(action="ON DELETE CASCADE", parent=2),
        outcomes=_each(("loads", "stay"), ("loads", "stay"), LOADS, LOADS),
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="postgresql",
        name="an identity, `BY DEFAULT`",
        setup="ALTER TABLE t ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
        outcomes=LOADS,
    ),
    Oddity(
        kind="postgresql",
        name="an identity, `ALWAYS`",
        setup="ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY",
        outcomes=LOADS,
    ),
    Oddity(
        kind="postgresql",
        name="an identity, `ALWAYS`, and a child by `ON DELETE CASCADE`",
        setup="ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY;"
        + _CHILD.format(action="ON DELETE CASCADE", parent=2),
        outcomes=_each(("loads", "stay"), ("loads", "stay"), LOADS, LOADS),
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="postgresql",
        name="a generated column",
        setup="ALTER TABLE t ADD double text GENERATED ALWAYS AS (v || v) STORED",
        outcomes=LOADS,
    ),
)

_SQLITE_TRIGGER = "CREATE TRIGGER acts {when} ON t BEGIN {body}; END"
_SQLITE_CHILD = "CREATE TABLE c (n integer, t_id integer REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (1, {})"


def _sqlite_trigger(when: str, body: str) -> str:
    return _SQLITE_TRIGGER.format(when=when, body=body)


SQLITE: tuple[Oddity, ...] = (
    Oddity(
        kind="sqlite",
        name="a trigger that sets a column the query feeds",
        setup=_sqlite_trigger("AFTER INSERT", "UPDATE t SET v = 'other' WHERE id = NEW.id")
        + ";"
        + _sqlite_trigger("AFTER UPDATE", "UPDATE t SET v = 'other' WHERE id = NEW.id").replace("acts", "also"),
        outcomes=("refuses", "v ("),
    ),
    Oddity(
        kind="sqlite",
        name="a trigger that drops a row",
        setup=_sqlite_trigger("BEFORE INSERT", "SELECT RAISE(IGNORE) WHERE NEW.id = 4"),
        outcomes=("refuses", "rows that are not there: 1"),
    ),
    Oddity(
        kind="sqlite",
        name="a trigger that keeps deleted rows, on a table without a key",
        setup="DROP TABLE t; CREATE TABLE t (id integer, v text);"
        "INSERT INTO t VALUES (1, 'old1'), (2, 'old2'), (3, 'old3');"
        + _sqlite_trigger("BEFORE DELETE", "SELECT RAISE(IGNORE)"),
        outcomes=_each(
            ("refuses", "rows that were not staged: 3"), ("refuses", "rows that were not staged: 2"), LOADS, LOADS
        ),
    ),
    Oddity(
        kind="sqlite",
        name="a trigger that writes into another table",
        setup="CREATE TABLE log (n integer);" + _sqlite_trigger("AFTER INSERT", "INSERT INTO log VALUES (NEW.id)"),
        outcomes=FIRED,
    ),
    Oddity(
        kind="sqlite",
        name="a child of a row that comes again (no foreign key is kept in Pipekit's session)",
        setup=_SQLITE_CHILD.format(2),
        outcomes=LOADS,
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="sqlite",
        name="a child of a row that is gone",
        setup=_SQLITE_CHILD.format(1),
        outcomes=_each(("refuses", "1 rows of c (t_id)"), LOADS, LOADS, LOADS),
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="sqlite",
        name="the same, with `children: true`",
        setup=_SQLITE_CHILD.format(1),
        outcomes=_each(("tells", "1 rows of c (t_id) left without"), LOADS, LOADS, LOADS),
        guards={"children": True},
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="sqlite",
        name="a child of a key that the query does not feed",
        setup="DROP TABLE t; CREATE TABLE t (number integer PRIMARY KEY, id integer, v text);"
        "INSERT INTO t VALUES (7, 1, 'old1'), (8, 2, 'old2'), (9, 3, 'old3');" + _SQLITE_CHILD.format(8),
        outcomes=_each(("refuses", "1 rows of c"), ("refuses", "1 rows of c"), LOADS, LOADS),
        others=_CHILD_ROWS,
    ),
    Oddity(
        kind="sqlite",
        name="`ON CONFLICT REPLACE` on a column",
        setup="DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, v text UNIQUE ON CONFLICT REPLACE);"
        "INSERT INTO t VALUES (1, 'old1'), (2, 'old2'), (3, 'old3')",
        outcomes=LOADS,
    ),
    Oddity(
        kind="sqlite",
        name="no row numbers (`WITHOUT ROWID`)",
        setup="DROP TABLE t; CREATE TABLE t (id integer PRIMARY KEY, v text) WITHOUT ROWID;"
        "INSERT INTO t VALUES (1, 'old1'), (2, 'old2'), (3, 'old3')",
        outcomes=LOADS,
    ),
    Oddity(
        kind="sqlite",
        name="a generated column",
        setup="ALTER TABLE t ADD COLUMN double text GENERATED ALWAYS AS (v || v)",
        outcomes=LOADS,
    ),
    Oddity(
        kind="sqlite",
        name="a view with `INSTEAD OF` triggers",
        setup="CREATE VIEW w AS SELECT id, v FROM t;"
        "CREATE TRIGGER acts INSTEAD OF INSERT ON w BEGIN INSERT INTO t VALUES (NEW.id, NEW.v); END",
        outcomes=("refuses", "is a view"),
        dest="w",
    ),
)

ODDITIES = (*POSTGRESQL, *SQLITE)


def build_table(kind: str) -> str:
    """The kind's table for the page."""
    lines = [f"| the dest has | {' | '.join(STRATEGIES)} |", "|---" * (len(STRATEGIES) + 1) + "|"]
    for oddity in ODDITIES:
        if oddity.kind == kind:
            cells = [oddity.get_outcome(strategy)[0] for strategy in STRATEGIES]
            lines.append(f"| {oddity.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(build_table(sys.argv[1]), end="")
