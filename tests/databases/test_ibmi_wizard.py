# The wizard on the double of IBM i, with jt400. No IBM i is here.
"""What a person sees of columns that hold text as bytes."""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.models import Connection, Module
from tests.databases.ibmi.host import Door, Host
from tests.databases.ibmi.tables import Tables
from tests.databases.jdbc import JT400
from tests.databases.over_jdbc import register
from tests.pages.site import Page, Site, Visitor

pytestmark = pytest.mark.usefixtures("one_child")


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    tmp_path.joinpath("system").mkdir()
    return Tables(tmp_path / "system")


@pytest.fixture
def site(tmp_path: Path, tables: Tables, door: Door) -> Iterator[Site]:
    host = door.add("ibmi", Host(tables.talk))
    home = tmp_path / ".pipekit"
    home.mkdir()
    (home / "config.yaml").write_text(json.dumps({"java_options": door.java_options}))
    site = Site(tmp_path)
    register(site, "db2i", JT400, "")
    site.secrets.set("IBMI", "anything")
    yield site
    site.close()
    assert host.faults == []


@pytest.fixture
def ana(site: Site) -> Visitor:
    return site.visit("ana")


def test_the_first_values_of_bytes_are_shown_in_every_code_page_they_may_be_read_in(
    site: Site, ana: Visitor, tables: Tables
) -> None:
    create = "CREATE TABLE PEOPLE (ID INTEGER NOT NULL, NAME CHAR(6) FOR BIT DATA, CITY VARCHAR(9) CCSID 37)"
    tables.make(create, [(1, "Müller".encode("cp273"), "Bern"), (2, None, None)])
    page = show_columns(ana, connect(site), "PEOPLE")
    assert page.texts("#columns .samples dt") == [
        "as it is",
        "text in EBCDIC (CCSID 37)",
        "text in EBCDIC (CCSID 273, Germany)",
        "text in EBCDIC (CCSID 500, international)",
    ]
    shown = [node.html or "" for node in page.all("#columns .samples dd")]
    assert ["0xD4D0939385" in shown[0], "M}ller" in shown[1], "Müller" in shown[2], "M}ller" in shown[3]] == [True] * 4
    assert all("NULL" in text for text in shown)


# What stands in an old file: a day in each form, and what stands for none.
PAST = (
    "CREATE TABLE PAST (ID INTEGER NOT NULL, ORDDTE DECIMAL(7,0), DUE NUMERIC(8,0), SHIPPED DECIMAL(6,0),"
    " AT DECIMAL(6,0), WORDS CHAR(8), QTY DECIMAL(7,0))"
)
PAST_ROWS = [
    (1, 1240229, 20240229, 22924, 93005, "20240229", 12),
    (2, 991231, 10101, 123199, 0, "19991231", 991399),
    (3, 0, 0, 0, 235959, "        ", 0),
    (4, 9999999, 99999999, None, None, "00000000", None),
    (5, None, None, None, None, None, None),
]


def connect(site: Site) -> Connection:
    login = {"username": "SHOP", "password": "$IBMI"}
    return repo.create_connection(site.db, name="ibmi", driver="db2i", jdbc_url="jdbc:as400://ibmi/SHOPLIB", **login)


def show_columns(ana: Visitor, ibmi: Connection, table: str) -> Page:
    return ana.get("/wizard/columns", params={"source_id": ibmi.id, "schema": "SHOPLIB", "table": table})


def make_module(site: Site, ana: Visitor, page: Page, into: tuple[Connection, str], **fields: Any) -> Module:
    """What the wizard's two last steps make of a page of columns."""
    dest, table = into
    step3 = ana.post("/wizard/columns", page.form("form[action='/wizard/columns']") | fields)
    form = step3.form("form[action='/wizard/create']") | {"dest_id": str(dest.id), "dest_table": table, "name": table}
    if form["mapped_for"] != dest.driver:
        form = ana.post("/wizard/dest", form).form("form[action='/wizard/create']")
    made = ana.post("/wizard/create", form)
    assert made.status == 303, made.text
    return repo.get_module_by_name(site.db, table)


def test_numbers_that_are_dates_in_every_row_of_a_sample_are_offered_as_dates_and_moved_as_such(
    site: Site, ana: Visitor, tables: Tables, tmp_path: Path
) -> None:
    tables.make(PAST, PAST_ROWS)
    ibmi, lite = connect(site), site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    page = show_columns(ana, ibmi, "PAST")
    offered = {
        (node.attributes["aria-label"] or "").split()[0]: [option.text() for option in node.css("option")]
        for node in page.all("#columns select")
    }
    assert offered == {
        "ORDDTE": ["as it is", "date from CYYMMDD", "date from CYYMMDD, 9999999 as 9999-12-31"],
        "DUE": ["as it is", "date from YYYYMMDD", "date from YYYYMMDD, 99999999 as 9999-12-31"],
        "SHIPPED": ["as it is", "date from MMDDYY"],
        "AT": ["as it is", "time from HHMMSS"],
        "WORDS": ["as it is", "date from YYYYMMDD"],
    }
    told = page.texts("#columns .help")
    assert "CYYMMDD: of 5 rows 2 dates, 1 0, 1 9999999, 1 NULL. 0, 9999999 and blanks become NULL" in told[0]
    [samples, *_] = page.all("#columns .samples")
    assert [node.html for node in samples.css("dd")][1] == '<dd class="mono">2024-02-29<br>1999-12-31<br>NULL</dd>'
    assert all(choice.attributes["value"] == "" for choice in page.all("#columns select option:first-child"))

    choices = [f"{name}={labels[-1]}" for name, labels in offered.items()]
    site.succeed(make_module(site, ana, page, (lite, "past"), **{"cast[]": choices}))
    with sqlite3.connect(tmp_path / "lite.db") as found:
        assert found.execute("select orddte, due, shipped, at, words, qty from past order by id").fetchall() == [
            ("2024-02-29", "2024-02-29", "2024-02-29", "09:30:05", "2024-02-29", 12),
            ("1999-12-31", "0001-01-01", "1999-12-31", "00:00:00", "1999-12-31", 991399),
            (None, None, None, "23:59:59", None, 0),
            ("9999-12-31", "9999-12-31", None, None, None, None),
            (None, None, None, None, None, None),
        ]


def test_a_number_that_is_no_date_behind_the_sample_ends_the_run(
    site: Site, ana: Visitor, tables: Tables, tmp_path: Path
) -> None:
    lite = site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    rows = [*((n, 20240101) for n in range(1, 301)), (301, 120240229)]
    tables.make("CREATE TABLE LATE (ID INTEGER NOT NULL, DAY DECIMAL(9,0))", rows)
    page = show_columns(ana, connect(site), "LATE")
    run = site.run(make_module(site, ana, page, (lite, "late"), **{"cast[]": "DAY=date from YYYYMMDD"}))
    assert (run.status, run.error_stage) == ("error", "stage")
    assert "SQL0802" in (run.error or "")


CHANGES = (
    "CREATE TABLE CHANGES (ID INTEGER NOT NULL, NAME VARCHAR(9) CCSID 37, SEEN TIMESTAMP(6) NOT NULL GENERATED ALWAYS"
    " FOR EACH ROW ON UPDATE AS ROW CHANGE TIMESTAMP, PRIMARY KEY (ID))"
)


def add_mark(ana: Visitor, page: Page, dest: Connection, column: str, **ticks: Any) -> Page:
    """The last step, of strategy incremental, with the comparison of a column and its watermark."""
    step3 = ana.post("/wizard/columns", page.form("form[action='/wizard/columns']") | ticks)
    form = step3.form("form[action='/wizard/create']") | {"dest_id": str(dest.id), "merge_strategy": "incremental"}
    step3 = ana.post("/wizard/dest", form)
    form = step3.form("form[action='/wizard/create']")
    [place] = [n for n, name in enumerate(form["col_source_name[]"]) if name == column]
    form |= {"compare_column": form["col_id[]"][place], "compare_name": "since", "key[]": form["col_id[]"][0]}
    return ana.post("/wizard/compare", form)


@pytest.mark.parametrize(("column", "missed"), [("SEEN", []), ("RRN", [1])])
def test_a_module_reads_what_is_new_by_a_row_change_timestamp_or_by_rrn_which_sees_no_update(
    site: Site, ana: Visitor, tables: Tables, tmp_path: Path, column: str, missed: list[int]
) -> None:
    day = dt.datetime(2024, 1, 1)
    tables.make(CHANGES, [(n, "OLD", day + dt.timedelta(days=n)) for n in (1, 2, 3)])
    lite = site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    page = show_columns(ana, connect(site), "CHANGES")
    assert page.texts("#marks label") == ["SEEN", 'RRN("CHANGES")', "JOURNAL_SEQUENCE"]
    assert page.texts("#marks thead th")[2:] == ["RGZPFM", "a restore", "CLRPFM", "it misses"]
    assert "lost" in page.texts("#marks tbody tr:nth-child(2) td")[2]
    assert "QSYS2.DISPLAY_JOURNAL('SHOPLIB', 'QSQJRN', " in page.texts("#marks pre")[0]
    step3 = add_mark(ana, page, lite, column, **({"mark[]": ["RRN"]} if column == "RRN" else {}))
    made = ana.post("/wizard/create", step3.form("form[action='/wizard/create']"))
    assert made.status == 303, made.text
    module = repo.get_module_by_name(site.db, "changes")
    assert module.source_query.endswith('RRN("CHANGES") >= {since}' if column == "RRN" else "\"SEEN\" >= '{since}'")

    assert site.succeed(module).rows_read == 3
    tables.change("UPDATE CHANGES SET NAME = 'NEW', SEEN = '2024-06-01-00.00.00.000000' WHERE ID = 1")
    tables.change("INSERT INTO CHANGES VALUES (4, 'NEW', '2024-06-02-00.00.00.000000')")
    run = site.succeed(module)
    # Those of the last value come once more.
    assert run.rows_read == 3 - len(missed)
    with sqlite3.connect(tmp_path / "lite.db") as found:
        names = dict(found.execute("select id, name from changes").fetchall())
    assert names == {1: "OLD" if missed else "NEW", 2: "OLD", 3: "OLD", 4: "NEW"}
    assert any(
        "RGZPFM" in note for note in site.visit("vera").get(f"/modules/{module.id}").texts(".notice.warn")
    ) == bool(missed)
