# Checks of a run that cannot be made: the connection goes, a right is missing. Whole runs on a real PostgreSQL.
"""A check tells "it is not so" from "it could not be asked"."""

import pytest

from tests.databases.test_runs import Bench, bench

__all__ = ["bench"]

FUSSY = """CREATE SEQUENCE asked; CREATE FUNCTION fussy(v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
  IF v = 'bad' AND nextval('asked') = 1 THEN {} END IF; RETURN true; END $$;
CREATE DOMAIN odd AS text CHECK (fussy(value)); CREATE TABLE t (id integer, v odd)"""
LOSE = "PERFORM pg_terminate_backend(pg_backend_pid());"
RAISE = "RAISE EXCEPTION 'no such luck' USING ERRCODE = '{}';"
QUERY = "SELECT 1 AS id, 'bad'::varchar(3) AS v"


@pytest.mark.parametrize("bench", [("postgresql", "postgresql")], indirect=True, ids=["postgresql-postgresql"])
@pytest.mark.parametrize("does", [LOSE, RAISE.format("40P01"), RAISE.format("53200")])
def test_a_check_that_time_can_mend_is_made_again(bench: Bench, does: str) -> None:
    bench.dest.execute(FUSSY.format(does))
    run = bench.project.succeed(bench.module(QUERY))
    assert run.attempt == 2
    assert bench.dest.rows("select id, v from t") == [(1, "bad")]


@pytest.mark.parametrize("bench", [("postgresql", "postgresql")], indirect=True, ids=["postgresql-postgresql"])
@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("22023", "A value cannot be stored in the column 'v'"),
        ("P0001", "A value cannot be stored in the column 'v'"),
        ("42501", "The check 'exact' could not be made: no such luck"),
        ("57014", "The check 'exact' could not be made: no such luck"),
        ("XX000", "The check 'exact' could not be made: no such luck"),
    ],
)
def test_only_a_refused_value_is_told_as_one(bench: Bench, state: str, says: str) -> None:
    bench.dest.execute(FUSSY.format(RAISE.format(state)))
    run = bench.project.run(bench.module(QUERY))
    assert (run.status, run.error_stage, run.attempt) == ("error", "check", 1)
    assert says in (run.error or "")
    assert ("a type that holds" in (run.hint or "")) == ("value" in says)
