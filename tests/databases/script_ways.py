# Twenty folders of invented scripts: the tables they work on, how they are started, and which runs do the same.
"""`WAYS`: a folder of `tests/scripts_examples/ways` each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CUSTOMERS = "create table customers (id integer, name text);"
ORDERS = "create table orders (id integer, customer text, total real);"
CHANGED = "create table orders (id integer{key}, customer text, total real, changed text);"
STAGED = CHANGED.format(key=" primary key") + CHANGED.format(key="").replace("orders", "{stage}")
SHOP = CUSTOMERS + ORDERS + (
    "insert into customers values (7, 'Ann'), (8, 'Bob');"
    "insert into orders values (1, 'Ann', 10.5), (2, 'Bob', 20), (3, 'O''Neill \"test\" $HOME', 7);"
)  # fmt: skip
MORE = (
    "insert into orders values (4, 'Cid', 1.25), (5, null, 0); update orders set total = 11 where id = 1;"
    "update customers set name = 'Anna' where id = 7; delete from customers where id = 8;"
)
NEW = "insert into orders values (4, 'Cid', 1.25), (5, null, 0)"
DW = CUSTOMERS + ORDERS + "insert into orders values (1, 'Ann', 10.5); insert into customers values (9, 'gone');"
DATED = (
    CHANGED.format(key="") + "insert into orders values (1, 'Ann', 10.5, '2024-05-01'), (2, 'Bob', 20, '2024-05-02'),"
    " (3, 'Cid', 1, '2024-05-03')"
)
DATED_MORE = (
    "update orders set total = 21, changed = '2024-05-09' where id = 2;"
    "insert into orders values (4, 'Dan', 2, '2024-05-08')"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """How the scripts are started, and the modules that do the same with values for their watermarks."""

    scripts: Sequence[str]
    runs: Sequence[str]
    values: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    code: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """A folder: SQL that makes its source and dest and changes the source between two rounds, and what is compared.

    `postgresql` are the databases that are none of SQLite, by what the scripts call them; `disabled` are the modules
    that a person must look at.
    """

    source: str = SHOP
    change: str = MORE
    dest: str = DW
    tables: Sequence[str] = ("orders",)
    rounds: Sequence[Round]
    disabled: Sequence[str] = ()
    postgresql: Sequence[str] = ()


def twice(*scripts: str, runs: Sequence[str] = ("orders",)) -> Sequence[Round]:
    """Two rounds of the same."""
    return (Round(scripts=scripts, runs=runs),) * 2


WAYS: dict[str, Way] = {
    "quoting": Way(rounds=twice("load_orders.sh")),
    "two-steps": Way(
        source=DATED,
        change=DATED_MORE,
        dest=STAGED.format(stage="stage_orders")
        + "create table loads (name text, n integer); insert into loads values ('orders', 0);",
        tables=("orders", "loads"),
        rounds=twice("orders/run.sh"),
    ),
    "state-file": Way(change=NEW, dest=ORDERS, rounds=twice("pull.sh")),
    "state-of-the-source": Way(
        change=NEW,
        rounds=(
            Round(scripts=["run.sh"], runs=["orders"], values={"last": "1"}),
            Round(scripts=["run.sh"], runs=["orders"], values={"last": "3"}),
        ),
        disabled=["orders"],
    ),
    "state-table": Way(
        source=DATED,
        change=DATED_MORE,
        dest=STAGED.format(stage="in_orders") + "create table etl_state (name text, until text);",
        tables=("orders", "etl_state"),
        rounds=twice("orders.sh"),
    ),
    "environment": Way(
        rounds=(
            Round(scripts=["run.sh"], runs=["orders"]),
            Round(scripts=["run.sh"], runs=["orders"], values={"from_id": "4"}, environment={"FROM_ID": "4"}),
        ),
        disabled=["orders"],
    ),
    "arguments": Way(
        source=SHOP + "create table shifts (day text, machine integer); insert into shifts values ('2024-05-01', 1);",
        change=MORE + "insert into shifts values ('2024-05-02', 1)",
        dest=DW + ORDERS.replace("orders", "stage_orders") + "create table shifts (day text, machine integer);",
        tables=("customers", "orders", "shifts"),
        rounds=twice("all.sh", "load.sh shifts", runs=("customers", "orders", "shifts")),
    ),
    "windows": Way(dest=DW + ORDERS.replace("orders", "stage_orders"), rounds=twice("run.sh")),
    "library": Way(
        change=NEW + "; insert into customers values (11, 'Eve')",
        dest=DW + "create table loads (name text, n integer); insert into loads values ('orders', 0);",
        tables=("customers", "orders", "loads"),
        rounds=twice("customers.sh", "orders.sh", runs=("customers", "orders")),
    ),
    "dates": Way(
        source="create table orders (id integer, customer text, total real, day text);"
        "insert into orders values (1, 'Ann', 10.5, '2024-05-11'), (2, 'Bob', 20, '2024-05-12'),"
        " (3, 'Cid', 1, '2024-05-14')",
        change="update orders set total = 2 where id = 3; insert into orders values (4, 'Dan', 2, '2024-05-14')",
        dest="create table orders (id integer, total real, day text);"
        "create table stage_orders (id integer, total real, day text);"
        "insert into orders values (1, 10, '2024-05-11');",
        rounds=(Round(scripts=["run.sh"], runs=["orders"], values={"day": "2024-05-12"}),) * 2,
        disabled=["orders"],
    ),
    "branches": Way(
        dest="create table orders_north (id integer, total real, branch text);"
        "create table orders_south (id integer, total real, branch text);",
        tables=("orders_north", "orders_south"),
        rounds=twice("run.sh", runs=("orders_north", "orders_south")),
    ),
    "choice": Way(
        change=NEW,
        rounds=(
            Round(scripts=["run.sh full"], runs=["orders"]),
            Round(scripts=["run.sh"], runs=["orders_2"]),
        ),
        disabled=["orders", "orders_2"],
    ),
    "options": Way(
        rounds=(
            Round(scripts=["run.sh"], runs=["orders"]),
            Round(scripts=["run.sh -f 3"], runs=["orders"], values={"from": "3"}),
        ),
        disabled=["orders"],
    ),
    "copied": Way(
        tables=("orders", "customers"),
        rounds=twice("orders/run.sh", "customers/run.sh", runs=("orders", "customers")),
    ),
    "settings": Way(
        source=DATED,
        change=DATED_MORE,
        dest="create table orders (id integer primary key, customer text, total real, changed text);"
        "create schema stage; create table stage.orders (like orders);"
        "insert into orders values (1, 'Ann', 1, '2024-05-02');",
        rounds=twice("run.sh"),
        postgresql=("dw",),
    ),
    "sourced": Way(change=NEW, rounds=twice("run.sh")),
    "helpers": Way(change=NEW, rounds=twice("run.sh")),
    "broken": Way(
        tables=("orders", "customers"),
        rounds=(
            Round(scripts=["customers.sh"], runs=["customers"]),
            Round(scripts=["orders.sh"], runs=[], code=2),
        ),
        disabled=["orders"],
    ),
    "passwords": Way(
        source="create table stock (id integer, article text, pieces integer);"
        "insert into stock values (1, 'a', 5), (2, 'b', 6)",
        change="insert into stock values (3, 'c', null)",
        dest="create table stock (id integer, article text, pieces integer)",
        tables=("stock",),
        rounds=twice("stock.sh", runs=("stock",)),
        postgresql=("erp", "dw"),
    ),
    "careful": Way(tables=("customers", "orders"), rounds=twice("run.sh", runs=("CUSTOMERS", "ORDERS"))),
}  # fmt: skip
