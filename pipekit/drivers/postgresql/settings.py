# What Pipekit's transactions are pinned to in PostgreSQL, and the text that begins them so. Pure text.
"""`Pins`: the settings of a session, said anew at the beginning of each transaction and read back with it.

A pooler may drop what a login asks for, or hand the next transaction to another connection of the server. So nothing is
asked for at the login, and what is set in a pooler's connection ends with the transaction: its other clients find it
as it was. In a connection of our own the settings stay, for statements that refuse a transaction.
"""

from collections.abc import Mapping, Sequence

LOCK_TIMEOUT_S = 60
WATCHED_SETTING = "client_connection_check_interval"  # not on every system

# As the server shows them: what changes how a value is written or read, which rows an index gives, or ends a session.
# The table in docs/postgresql.md goes through all settings of the server, those that are left alone too.
PINNED = {
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
    "timezone_abbreviations": "Default",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "lc_monetary": "C",
    "xmloption": "content",
    "xmlbinary": "base64",
    "array_nulls": "on",
    "quote_all_identifiers": "off",
    "gin_fuzzy_search_limit": "0",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "lock_timeout": "1min",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
# Settings that PostgreSQL 12 does not have, nor every fork.
WHERE_KNOWN = {WATCHED_SETTING: "1s", "idle_session_timeout": "0", "transaction_timeout": "0"}

# A commit that is told before it is on disk may be lost in a crash, and the ledger's row with it.
_ON_DISK = """\
CASE pg_catalog.current_setting('synchronous_commit')
    WHEN 'off' THEN pg_catalog.set_config('synchronous_commit', 'local', is_pooled) END"""

_REPLICA = ("session_replication_role", "replica")
_READ_BACK = ("transaction_read_only", "transaction_isolation", _REPLICA[0])
REPLICA_MEND = (
    "With it the server keeps no foreign keys and fires other triggers than the dest's catalogue says. "
    "ALTER ROLE ... RESET session_replication_role gives the login the usual one."
)
_MEND = (
    "Something between Pipekit and the server (a pooler, a proxy) or the server itself does not keep it. Give the "
    "connection the server's own address, or an entry of the pooler for Pipekit alone."
)


class Pins:
    """What one session is pinned to; `more` are settings of its endpoint."""

    def __init__(self, read_only: bool, more: Mapping[str, str]) -> None:
        self.read_only = read_only
        self._wanted = PINNED | dict(more)
        self._where_known = dict(WHERE_KNOWN)

    def forget_watching(self) -> None:
        """For a system on which a server cannot look after its clients."""
        self._where_known.pop(WATCHED_SETTING, None)

    def build_begin(self, backend_pid: int) -> tuple[str, str]:
        """Two statements: they begin a transaction, and give one row, for `check`.

        `backend_pid` is the server's process as the login was told: a pooler tells a number of its own.
        """
        mode = "READ ONLY" if self.read_only else "NOT DEFERRABLE"
        return f"BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED, {mode}", self.build_set(backend_pid)

    def build_set(self, backend_pid: int) -> str:
        """Sets everything, for as long as a connection of our own lasts, or as the transaction of a pooler's does."""
        settings = [_build_setting(name, value) for name, value in self._wanted.items()]
        settings += [
            f"CASE WHEN pg_catalog.current_setting('{name}', true) IS NOT NULL THEN {_build_setting(name, value)} END"
            for name, value in self._where_known.items()
        ]
        settings += [f"pg_catalog.current_setting('{name}')" for name in _READ_BACK]
        settings += [] if self.read_only else [_ON_DISK]
        chosen = ",\n  ".join(settings)
        return (
            f"SELECT {chosen}\nFROM (SELECT pg_catalog.pg_backend_pid() <> {int(backend_pid)} AS is_pooled) AS session"
        )

    def check(self, row: Sequence[str | None]) -> tuple[str, str]:
        """What of the row is not as it was set, and the mend; two empty texts when everything is."""
        wanted: dict[str, str] = self._wanted | self._where_known
        wanted |= {"transaction_read_only": "on"} if self.read_only else {}
        names = [*self._wanted, *self._where_known, *_READ_BACK, *([] if self.read_only else ["synchronous_commit"])]
        for name, got in zip(names, row, strict=True):
            value = "read committed" if name == "transaction_isolation" else wanted.get(name, got)
            if (name, got) == _REPLICA and not self.read_only:
                return f"The session's setting {name} is '{got}', and rows are to be written.", REPLICA_MEND
            if got != value and not (got is None and name in self._where_known):
                return f"The session's setting {name} is '{got}', and '{value}' is needed.", _MEND
        return "", ""


def _build_setting(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"pg_catalog.set_config('{name}', E'{escaped}', is_pooled)"
