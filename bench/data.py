# The rows that are moved and the proof that they arrived. Knows nothing of how they travel.
"""`lineitem`: 16 columns in the shape of TPC-H's, the same rows every time; and a hash over every value of a table."""

from bench.servers import DATABASE, Servers
from pipekit.demo.postgres import LocalPostgres

TABLE = "lineitem"
COLUMNS = """
    l_orderkey bigint not null, l_partkey integer not null, l_suppkey integer not null, l_linenumber integer not null,
    l_quantity numeric(15,2) not null, l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null,
    l_tax numeric(15,2) not null, l_returnflag char(1), l_linestatus char(1), l_shipdate date, l_commitdate date,
    l_receiptdate date, l_shipinstruct char(25), l_shipmode char(10), l_comment varchar(44)
"""

# `pick(i, seed, n)` is a number from 0 to n - 1 that depends on i and seed alone.
PICK = """
create function pg_temp.pick(i bigint, seed bigint, n bigint) returns bigint immutable language sql
    as $$ select (hashint8extended(i, seed) & 9223372036854775807) % n $$;
"""
FILL = """
insert into {table}
select i / 4 + 1, pg_temp.pick(i, 1, 200000) + 1, pg_temp.pick(i, 2, 10000) + 1, i % 4 + 1,
    pg_temp.pick(i, 3, 50) + 1, (pg_temp.pick(i, 4, 10400000) + 90000) / 100.0, pg_temp.pick(i, 5, 11) / 100.0,
    pg_temp.pick(i, 6, 9) / 100.0, substr('ANR', pg_temp.pick(i, 7, 3)::int + 1, 1),
    substr('FO', pg_temp.pick(i, 8, 2)::int + 1, 1), date '1992-01-02' + pg_temp.pick(i, 9, 2526)::int,
    date '1992-01-31' + pg_temp.pick(i, 10, 2466)::int, date '1992-01-03' + pg_temp.pick(i, 11, 2555)::int,
    (array['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[pg_temp.pick(i, 12, 4) + 1],
    (array['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[pg_temp.pick(i, 13, 7) + 1],
    case when i % 50 <> 0 then substr(md5(i::text) || md5((i * 7)::text), 1, 10 + pg_temp.pick(i, 14, 34)::int) end
from generate_series(0, {rows} - 1) as i;
"""

Fingerprint = str


def make_tables(servers: Servers, rows: int, table: str = TABLE) -> Fingerprint:
    """Fills the source's table, makes the dest's without rows, and returns the source's fingerprint."""
    for server in (servers.source, servers.dest):
        server.run_sql(f"create table {table} ({COLUMNS})", DATABASE)
    fill = PICK + FILL.format(table=table, rows=rows)
    servers.source.run_sql(f"{fill} vacuum (freeze, analyze) {table};", DATABASE, timeout_s=3600)
    return take_fingerprint(servers.source, table)


def empty_dest(servers: Servers, table: str = TABLE) -> None:
    """Empties the dest's table and lets both servers come to rest."""
    servers.dest.run_sql(f"truncate {table}", DATABASE)
    servers.settle()


def take_fingerprint(
    server: LocalPostgres, table: str = TABLE, where: str = "true", *, database: str = DATABASE
) -> Fingerprint:
    """The number of rows and two sums of 64-bit hashes over every row's text: equal for equal rows in any order."""
    sql = f"""
        select count(*), sum(hashtextextended(t::text, 0)::numeric), sum(hashtextextended(t::text, 1)::numeric)
        from {table} t where {where}
    """
    return server.run_sql(sql, database, timeout_s=3600)
