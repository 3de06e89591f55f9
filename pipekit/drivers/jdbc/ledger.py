# The text of the ledger and the staging schema over JDBC, in SQL that the products share. Pure text.
"""The dest's own record of which runs merged.

Each module has one row that is only locked: the merges of a module take their turn on it, so that none reads the newest
fence while another is about to write it. So has each dest: two merges into it would not see each other's new rows.
"""

from hashlib import sha256

from pipekit.drivers.base import LedgerEntry
from pipekit.drivers.jdbc.phrases import Quote
from pipekit.drivers.jdbc.products import Product
from pipekit.runner_contract import Statement

_COLUMNS = ("run_key", "run_id", "module", "fence", "rows", "state", "committed_at")


def build_ledger_setup(table: str, index: str, quote: Quote, product: Product) -> tuple[str, ...]:
    """Makes the ledger, and what finds a module's newest fence in it."""
    q = {name: quote(name) for name in _COLUMNS}
    spellings = product.spellings
    key = spellings.text.format(n=200)
    number = spellings.plain["int64"]
    create = (
        f"CREATE TABLE {table} (\n"
        f"  {q['run_key']} {key} NOT NULL PRIMARY KEY,\n"
        f"  {q['run_id']} {number} NOT NULL,\n"
        f"  {q['module']} {key} NOT NULL,\n"
        f"  {q['fence']} {number} NOT NULL,\n"
        f"  {q['rows']} {number},\n"
        f"  {q['state']} {spellings.text.format(n=10)} NOT NULL CHECK ({q['state']} IN ('merged', 'fenced', 'lock')),\n"
        f"  {q['committed_at']} {spellings.any_timestamp} NOT NULL\n)"
    )
    return (create, f"CREATE INDEX {index} ON {table} ({q['module']}, {q['fence']})")


def build_ledger_row(table: str, quote: Quote, literal: Quote, product: Product, entry: LedgerEntry, state: str) -> str:
    """Writes the run's row unless it has one; a merge's row also gives way to a newer fence of its module."""
    newer = ""
    if state == "merged":
        module, fence = f"{quote('module')} = {literal(entry.module)}", f"{quote('fence')} > {int(entry.fence)}"
        newer = f"\n  AND NOT EXISTS (SELECT 1 FROM {table} WHERE {module} AND {fence})"
    return _build_insert(table, quote, literal, product, entry, state) + newer


def build_ledger_statements(
    table: str, quote: Quote, literal: Quote, product: Product, entry: LedgerEntry
) -> tuple[Statement, ...]:
    """Takes the module's turn, then writes the run's row unless a newer run of the module was here."""
    lock = LedgerEntry(run_key=f"lock:{entry.module}", run_id=0, module=entry.module, fence=0, rows=0)
    return (
        Statement(sql=_build_insert(table, quote, literal, product, lock, "lock")),
        Statement(sql=_build_lock(table, quote, literal, lock)),
        Statement(sql=build_ledger_row(table, quote, literal, product, entry, "merged"), name="ledger"),
    )


def build_turn_row(table: str, quote: Quote, literal: Quote, product: Product, dest: str) -> str:
    """Makes a dest's row. Two merges that make it in their own transactions would wait for each other."""
    return _build_insert(table, quote, literal, product, _name_turn(dest), "lock")


def build_turn(table: str, quote: Quote, literal: Quote, dest: str) -> Statement:
    """Waits until no other merge has the dest's row, and keeps it until the commit."""
    return Statement(sql=_build_lock(table, quote, literal, _name_turn(dest)))


def _name_turn(dest: str) -> LedgerEntry:
    key = f"turn:{dest[:100]}:{sha256(dest.encode()).hexdigest()[:12]}"
    return LedgerEntry(run_key=key, run_id=0, module=key, fence=0, rows=0)


def _build_lock(table: str, quote: Quote, literal: Quote, lock: LedgerEntry) -> str:
    return f"UPDATE {table} SET {quote('rows')} = 0 WHERE {quote('run_key')} = {literal(lock.run_key)}"


def build_outcome(table: str, quote: Quote, literal: Quote, run_key: str) -> str:
    """`merged`, `fenced` or no row."""
    return f"SELECT {quote('state')} FROM {table} WHERE {quote('run_key')} = {literal(run_key)}"


def _build_insert(table: str, quote: Quote, literal: Quote, product: Product, entry: LedgerEntry, state: str) -> str:
    null = product.null_number.format(type=product.spellings.plain["int64"])
    rows = null if entry.rows is None else str(int(entry.rows))
    values = f"{literal(entry.run_key)}, {int(entry.run_id)}, {literal(entry.module)}, {int(entry.fence)}, {rows}"
    names = ", ".join(quote(name) for name in _COLUMNS)
    return (
        f"INSERT INTO {table} ({names})\n"
        f"SELECT {values}, {literal(state)}, CURRENT_TIMESTAMP FROM {product.one_row}\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {quote('run_key')} = {literal(entry.run_key)})"
    )
