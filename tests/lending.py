# Databases of a PostgreSQL server that go from test to test, emptied in between. Knows no test.
"""`lend_database` and `take_back`: making a database costs fifty times what emptying one does."""

import itertools
from collections import defaultdict
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql

from pipekit.demo.postgres import LocalPostgres

_NUMBERS = itertools.count(1)
_FREE: "WeakKeyDictionary[LocalPostgres, defaultdict[str, list[str]]]" = WeakKeyDictionary()

_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_EMPTY = """
    SET lock_timeout = '10s';
    DO $$ DECLARE schema text; BEGIN
        FOR schema IN SELECT quote_ident(nspname) FROM pg_namespace
            WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        LOOP EXECUTE 'DROP SCHEMA ' || schema || ' CASCADE'; END LOOP;
    END $$;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
# What lies in no schema, and is not worth taking away: a database that has any of it is dropped.
_IS_ODD = """
    SELECT EXISTS (SELECT FROM pg_event_trigger) OR EXISTS (SELECT FROM pg_publication)
        OR EXISTS (SELECT FROM pg_foreign_data_wrapper) OR EXISTS (SELECT FROM pg_largeobject_metadata)
        OR EXISTS (SELECT FROM pg_default_acl) OR EXISTS (SELECT FROM pg_cast WHERE oid >= 16384)
        OR EXISTS (SELECT FROM pg_extension WHERE extname <> 'plpgsql')
        OR EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                   WHERE d.datname = current_database())
        OR EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND datacl IS NOT NULL)
"""


def lend_database(postgres: LocalPostgres, prefix: str = "lent") -> str:
    """The name of an empty database, one that another test has given back or a new one."""
    free = _FREE.setdefault(postgres, defaultdict(list))[prefix]
    if free:
        return free.pop()
    name = f"{prefix}_{next(_NUMBERS)}"
    postgres.create_database(name)
    return name


def take_back(postgres: LocalPostgres, name: str) -> None:
    """Ends the sessions of a lent database and empties it for the next test; drops it where that does not do."""
    if _can_be_emptied(postgres, name):
        _FREE.setdefault(postgres, defaultdict(list))[name.rpartition("_")[0]].append(name)
    else:
        postgres.drop_database(name)


def _can_be_emptied(postgres: LocalPostgres, name: str) -> bool:
    try:
        with psycopg.connect(
            host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True
        ) as connection:
            connection.execute(_END_SESSIONS)
            connection.execute(sql.SQL(_EMPTY))
            return connection.execute(sql.SQL(_IS_ODD)).fetchone() == (False,)
    except psycopg.Error:
        return False
