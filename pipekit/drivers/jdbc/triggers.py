# Where each product that is reached over JDBC keeps its triggers. Data only.
"""`TRIGGERS`: by the product's name, a query for the names and events of a table's triggers that are on."""

from collections.abc import Mapping

# INFORMATION_SCHEMA as H2 and HSQLDB have it.
_INFORMATION_SCHEMA = """\
SELECT TRIGGER_NAME, EVENT_MANIPULATION FROM INFORMATION_SCHEMA.TRIGGERS
WHERE EVENT_OBJECT_SCHEMA = {schema} AND EVENT_OBJECT_TABLE = {table}"""
_DERBY = """\
SELECT t.TRIGGERNAME, t.EVENT FROM SYS.SYSTRIGGERS t
JOIN SYS.SYSTABLES b ON b.TABLEID = t.TABLEID JOIN SYS.SYSSCHEMAS s ON s.SCHEMAID = b.SCHEMAID
WHERE t.STATE = 'E' AND s.SCHEMANAME = {schema} AND b.TABLENAME = {table}"""
_POSTGRESQL = """\
SELECT t.tgname, concat_ws(' ', CASE WHEN t.tgtype & 4 > 0 THEN 'INSERT' END,
  CASE WHEN t.tgtype & 8 > 0 THEN 'DELETE' END, CASE WHEN t.tgtype & 16 > 0 THEN 'UPDATE' END)
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND n.nspname = {schema} AND c.relname = {table}
UNION ALL
SELECT r.rulename, CASE r.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' ELSE 'DELETE' END
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE r.ev_type IN ('2', '3', '4') AND r.ev_enabled <> 'D' AND n.nspname = {schema} AND c.relname = {table}"""
_ORACLE = """\
SELECT TRIGGER_NAME, TRIGGERING_EVENT FROM ALL_TRIGGERS
WHERE STATUS = 'ENABLED' AND TABLE_OWNER = {schema} AND TABLE_NAME = {table}"""
_DB2 = """\
SELECT TRIGNAME, TRIGEVENT FROM SYSCAT.TRIGGERS WHERE TABSCHEMA = {schema} AND TABNAME = {table}"""
_SQLSERVER = """\
SELECT t.name, e.type_desc FROM sys.triggers t JOIN sys.trigger_events e ON e.object_id = t.object_id
JOIN sys.objects o ON o.object_id = t.parent_id JOIN sys.schemas s ON s.schema_id = o.schema_id
WHERE t.is_disabled = 0 AND s.name = {schema} AND o.name = {table}"""
_DB2I = """\
SELECT TRIGGER_NAME, EVENT_MANIPULATION FROM QSYS2.SYSTRIGGERS
WHERE EVENT_OBJECT_SCHEMA = {schema} AND EVENT_OBJECT_TABLE = {table} AND ENABLED = 'Y'"""

TRIGGERS: Mapping[str, str] = {
    "h2": _INFORMATION_SCHEMA,
    "hsqldb": _INFORMATION_SCHEMA,
    "derby": _DERBY,
    "postgresql": _POSTGRESQL,
    "oracle": _ORACLE,
    "db2": _DB2,
    "db2i": _DB2I,
    "sqlserver": _SQLSERVER,
}
