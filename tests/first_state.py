# State files as the first Pipekit left them, of several versions, made for tests. Knows nothing of how they are read.
"""`NEWEST` and `OLDEST`: statements that make one; `make_first_state`."""

import sqlite3
from contextlib import closing
from pathlib import Path

PASSWORD = "sloe-and-bullace"

NEWEST = f"""
create table driver (id integer primary key, kind text, jar text, class text, url_template text);
insert into driver values (1, 'db2i', '/opt/jt400.jar', 'com.ibm.as400.access.AS400JDBCDriver', 'jdbc:as400://h/l'),
  (2, 'postgresql', '/opt/postgresql.jar', 'org.postgresql.Driver', null), (3, 'sqlite', null, null, null);
create table connection (id integer primary key, name text, driver_id integer references driver (id), jdbc_url text,
  username text, password text);
insert into connection values
  (10, 'shop', 3, 'jdbc:sqlite:shop.db', null, null),
  (11, 'dw', 3, 'jdbc:sqlite:dw.db', null, '$DW_PASSWORD'),
  (12, 'as400', 1, 'jdbc:as400://ibmi;user=ann', 'ann', '{PASSWORD}'),
  (14, 'as400!', 1, 'jdbc:as400://other', 'ann', '{PASSWORD}'),
  (13, 'old dw', 2, 'jdbc:postgresql://me:{PASSWORD}-2@pg/dw?reWriteBatchedInserts=true&sslmode=require', null, null);
create table module (id integer primary key, name text, source_connection_id integer references connection (id),
  dest_connection_id integer references connection (id), source_query text, dest_table text, merge_strategy text,
  merge_key text, columns_json text, enabled integer, running integer, owner_team text);
insert into module values
  (1, 'orders', 10, 11, 'select id as order_no, note from orders where id > {{last}}', 'orders', 'incremental',
   '["order_no"]', '[{{"id": "c1", "source_name": "order_no", "source_type": "INTEGER", "dest_name": "order_no",
   "dest_type": "INTEGER"}}, {{"id": "c2", "source_name": "note", "dest_name": "remark"}}]', 1, 1, 'sales'),
  (2, 'all orders!', 10, 11, 'select id, note from orders', 'all_orders', 'full', null, null, 1, 0, null),
  (3, 'odd', 12, 13, 'select ''{PASSWORD}''', 'public.odd', 'swap_in', null, '[]', 1, 0, null),
  (4, 'lost', 99, 11, 'select 1', 'lost', 'append', null, null, 1, 0, null);
create table watermark (id integer primary key, module_id integer, name text, connection_id integer, resolver_sql text,
  default_value text);
insert into watermark values (1, 1, 'last', 11, 'select max(order_no) from orders', '0'),
  (2, 2, 'from-day', 11, 'select 1', null), (3, 77, 'gone', 11, 'select 1', null);
create table hook (id integer primary key, module_id integer, sql text, run_order integer, run_on text);
insert into hook values (1, 1, 'insert into seen values (2)', 2, 'always'),
  (2, 1, 'insert into seen values (1)', 1, 'success');
create table grp (id integer primary key, name text);
insert into grp values (5, 'nightly'), (6, 'a/b');
create table group_member (id integer primary key, group_id integer, module_id integer, run_order integer);
insert into group_member values (1, 5, 2, 1), (2, 5, 1, 0), (3, 5, 4, 3);
create table group_run (id integer primary key, group_id integer, status text, started_at text, finished_at text,
  triggered_by text);
insert into group_run values (1, 5, 'error', '2026-01-01T04:00:00.000Z', '2026-01-01T04:00:09.000Z', 'schedule:1');
create table schedule (id integer primary key, group_id integer, cron text, enabled integer, last_fired_at text);
insert into schedule values (1, 5, '0 4 * * *', 1, '2026-01-01T04:00:00Z'), (2, 5, 'every day', 1, null),
  (3, 6, '@hourly', 0, null);
create table run_log (id integer primary key, module_id integer, group_run_id integer, triggered_by text, status text,
  started_at text, finished_at text, rows_read integer, resolved_sql text, stdout text, stderr text, error text);
insert into run_log values
  (1, 1, 1, 'schedule:1', 'success', '2026-01-01T04:00:00.000Z', '2026-01-01T04:00:05.000Z', 1200, 'select 1', '1200
Rows: 1200', null, null),
  (2, 2, 1, 'schedule:1', 'error', '2026-01-01T04:00:05.000Z', '2026-01-01T04:00:09.000Z', null, 'select 2', null, null,
   'login failed for {PASSWORD}'),
  (3, 88, null, 'manual', 'success', '2026-01-02T04:00:00.000Z', null, 7, null, null, null, null);
create table run_log_chunk (run_id integer references run_log (id), start integer, text text);
insert into run_log_chunk values (1, 6, 'second'), (1, 0, 'first '), (2, 0, 'only');
create table user (id integer primary key, name text);
insert into user values (1, 'ann');
"""

# Before groups, columns and strategies.
OLDEST = """
create table connection (id integer primary key, name text, driver text, url text, username text, password_ref text);
insert into connection values (1, 'shop', 'sqlite', 'jdbc:sqlite:shop.db', null, null),
  (2, 'dw', 'sqlite', 'jdbc:sqlite:dw.db', null, '${DW_PASSWORD}');
create table module (id integer primary key, name text, source text, dest text, source_query text, dest_table text);
insert into module values (1, 'orders', 'shop', 'dw', 'select id, note from orders where id > {last}', 'plain');
create table watermark (id integer primary key, module text, name text, resolver_sql text);
insert into watermark values (1, 'orders', 'last', 'select coalesce(max(order_no), 0) from plain');
create table run_log (id integer primary key, module text, status text, started text, ended_at text, log text);
insert into run_log values (1, 'orders', 'ok', '2024-05-01 01:02:03', '2024-05-01 01:02:04', 'moved 3 rows');
"""


def make_first_state(path: Path, script: str = NEWEST, *, wal: bool = True) -> Path:
    """Makes a file of it, in the journal mode that was asked for."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"pragma journal_mode = {'wal' if wal else 'delete'}")
        db.executescript(script)
    return path
