# The text of the ledger, the staging schema and a run's sessions in SQL Server. Knows no connection.
"""The dest's own record of which runs merged.

Runs take turns by `sp_getapplock`, held by the transaction: first for the run's key, so that a merge and the row that
shuts it out wait for each other, then for the module, so that its merges do. Key-range locks would do the same, but
those of neighbouring keys overlap, and merges of different modules would wait for each other.
"""

from pipekit.drivers.base import LedgerEntry, TableName
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table, quote_text
from pipekit.runner_contract import Query, Statement

LOCK_TIMEOUT_MS = 60_000
# Raised by our own text when a turn does not come in time; trying again can cure it.
NO_TURN = 51222

_CREATE_LEDGER = """\
IF OBJECT_ID({literal}, N'U') IS NULL
CREATE TABLE {table} (
  [run_key] nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL PRIMARY KEY,
  [run_id] bigint NOT NULL,
  [module] nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  [fence] bigint NOT NULL,
  [rows] bigint NULL,
  [state] varchar(8) NOT NULL CHECK ([state] IN ('merged', 'fenced')),
  [committed_at] datetime2(3) NOT NULL DEFAULT SYSUTCDATETIME(),
  INDEX {index} ([module], [fence])
)"""

_TURN = """\
SET NOCOUNT ON;
SET XACT_ABORT ON;
DECLARE @turn int;
{locks}
IF @turn < 0 THROW {error}, N'No turn at the ledger within {seconds} s: another run of Pipekit holds it.', 1;
SET NOCOUNT OFF"""

_LOCK = """\
EXEC @turn = sys.sp_getapplock @Resource = {resource}, @LockMode = N'Exclusive',
  @LockOwner = N'Transaction', @LockTimeout = {timeout};"""

# Without the right to see or to end other sessions it counts those it sees; the ledger's turns still hold.
_END_SESSIONS = """\
SET NOCOUNT ON;
DECLARE @id int, @kill nvarchar(40);
DECLARE ended CURSOR LOCAL STATIC FORWARD_ONLY FOR
  SELECT s.session_id FROM sys.dm_exec_sessions AS s
  WHERE {ours};
OPEN ended;
FETCH NEXT FROM ended INTO @id;
WHILE @@FETCH_STATUS = 0
BEGIN
  BEGIN TRY
    SET @kill = N'KILL ' + CAST(@id AS nvarchar(11));
    EXEC (@kill);
  END TRY
  BEGIN CATCH
    SET @kill = N'';
  END CATCH;
  FETCH NEXT FROM ended INTO @id;
END;
CLOSE ended;
DEALLOCATE ended;
SELECT COUNT(*) FROM sys.dm_exec_sessions AS s
WHERE {ours};
SET NOCOUNT OFF"""


def find_setup_sql(query: Query, ledger: TableName) -> tuple[str, ...]:
    """What is missing of the staging schema and the ledger, with a lock against a second run that finds it missing."""
    schema, table = ledger.schema or "", quote_table(ledger)
    look = f"SELECT SCHEMA_ID({quote_text(schema)}), OBJECT_ID({quote_text(table)}, N'U')"
    found_schema, found_ledger = query(look).rows[0]
    if found_schema is not None and found_ledger is not None:
        return ()
    create_schema = f"CREATE SCHEMA {quote_identifier(schema)}"
    index = quote_identifier(f"{ledger.name}_fence")
    return (
        _build_turn("pipekit:setup"),
        # CREATE SCHEMA must be the only statement of its batch.
        f"IF SCHEMA_ID({quote_text(schema)}) IS NULL EXEC ({quote_text(create_schema)})",
        _CREATE_LEDGER.format(literal=quote_text(table), table=table, index=index),
    )


def build_ledger_sql(ledger: TableName, entry: LedgerEntry) -> tuple[Statement, ...]:
    """Takes the run's and the module's turn, then writes the run's row unless a newer run of the module was here."""
    table = quote_table(ledger)
    turn = _build_turn(_name_run(entry), f"pipekit:module:{entry.module}")
    newer = f"SELECT 1 FROM {table} WHERE [module] = {quote_text(entry.module)} AND [fence] > {int(entry.fence)}"
    insert = f"{_build_insert(table, entry, 'merged')}\n  AND NOT EXISTS ({newer})"
    return (Statement(sql=turn), Statement(sql=insert, name="ledger"))


def build_fence_sql(ledger: TableName, entry: LedgerEntry) -> str:
    """Waits for the run's own merge if it is about to commit, and shuts it out if it is not."""
    table = quote_table(ledger)
    turn = _build_turn(_name_run(entry))
    return f"{turn};\n{_build_insert(table, entry, 'fenced')}"


def build_outcome_sql(ledger: TableName, run_key: str) -> str:
    """`merged`, `fenced` or no row."""
    return f"SELECT [state] FROM {quote_table(ledger)} WHERE [run_key] = {quote_text(run_key)}"


def build_end_sessions_sql(application_name: str) -> str:
    """Ends every session of that name and of our login, and counts those still there. Not inside a transaction."""
    ours = (
        f"s.program_name = {quote_text(application_name)} AND s.original_login_name = ORIGINAL_LOGIN()\n"
        "    AND s.session_id <> @@SPID"
    )
    return _END_SESSIONS.format(ours=ours)


def _build_turn(*resources: str) -> str:
    """Waits for locks that end with the transaction."""
    locks = [_LOCK.format(resource=quote_text(name[:255]), timeout=LOCK_TIMEOUT_MS) for name in resources]
    return _TURN.format(locks="\nIF @turn >= 0 ".join(locks), error=NO_TURN, seconds=LOCK_TIMEOUT_MS // 1000)


def _name_run(entry: LedgerEntry) -> str:
    return f"pipekit:run:{entry.run_key}"


def _build_insert(table: str, entry: LedgerEntry, state: str) -> str:
    rows = "NULL" if entry.rows is None else str(int(entry.rows))
    key, module = quote_text(entry.run_key), quote_text(entry.module)
    return (
        f"INSERT INTO {table} ([run_key], [run_id], [module], [fence], [rows], [state])\n"
        f"SELECT {key}, {int(entry.run_id)}, {module}, {int(entry.fence)}, {rows}, '{state}'\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE [run_key] = {key})"
    )
