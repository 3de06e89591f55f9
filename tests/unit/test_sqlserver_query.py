# Tests of telling one T-SQL statement from two under one text. Pure text.
"""pipekit.drivers.sqlserver.query.check_single."""

import pytest

from pipekit.drivers.sqlserver.query import check_single
from pipekit.errors import Invalid

SINGLE = [
    "SELECT 1 AS a",
    "SELECT a FROM t UNION ALL SELECT b FROM u EXCEPT SELECT c FROM v INTERSECT (SELECT 1)",
    "(SELECT 1 AS a) UNION (SELECT 2)",
    "WITH c AS (SELECT 1 a), d (x) AS (SELECT a FROM c UNION ALL SELECT 2) SELECT x FROM d OPTION (USE HINT ('x'))",
    "WITH XMLNAMESPACES ('u' AS n) SELECT 1 AS a FOR XML PATH ('r')",
    'SELECT [commit], "update", t.[set] FROM [delete] AS t -- DROP TABLE x\n/* SELECT 2 */',
    "SELECT 'SELECT 1 COMMIT' AS a, CASE WHEN 1 = 1 THEN 2 ELSE 3 END AS b, @set AS c, #drop.x FROM #drop",
    "SELECT a.x FROM a INNER MERGE JOIN b ON a.x = b.x WHERE a.x IN (SELECT 1) AND a.y > ALL (SELECT 2)",
    "SELECT a, ROW_NUMBER() OVER (ORDER BY b) AS n FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY",
    "SELECT * FROM OPENROWSET(BULK 'f', SINGLE_CLOB) AS f CROSS APPLY (SELECT 1 AS b) AS x",
    "SELECT update_date, created, commits, [Set] FROM t;",
    "DELETE FROM t OUTPUT deleted.a",
    "UPDATE t SET a = 1 OUTPUT inserted.a",
    "EXEC dbo.report @from = '2024-01-01'",
]


@pytest.mark.parametrize("sql", SINGLE)
def test_a_single_statement_is_taken_as_it_is(sql: str) -> None:
    check_single(sql)


# The text, and where the second statement begins.
DOUBLE = [
    ("SELECT 1 AS a COMMIT DELETE FROM t", "COMMIT"),
    ("SELECT 1 AS a SELECT 2 AS b", "SELECT 2"),
    ("SELECT a FROM t WHERE a IN (1) SELECT 2", "SELECT 2"),
    ("(SELECT 1 AS a) SELECT 2", "SELECT 2"),
    ("SELECT a FROM t\ndelete from t", "delete"),
    ("SELECT a FROM t/**/UPDATE t SET a = 1", "UPDATE"),
    ("SELECT a FROM t [x] DROP TABLE t", "DROP"),
    ("SELECT 'a'EXEC dbo.p", "EXEC"),
    ("SELECT 1 AS a MERGE t USING s ON 1 = 1 WHEN MATCHED THEN DELETE;", "MERGE"),
    ("SELECT 1 AS a DISABLE TRIGGER x ON t", "TRIGGER"),
    ("SELECT 1 AS a IF 1 = 1 COMMIT", "IF"),
    ("SELECT 1 AS a DECLARE @x int", "DECLARE"),
    ("SELECT 1 AS a SET IMPLICIT_TRANSACTIONS OFF", "SET"),
    ("WITH c AS (SELECT 1 a) SELECT a FROM c SELECT 2", "SELECT 2"),
    ("WITH c AS (SELECT 1 a) DELETE FROM c", "DELETE"),
    ("DELETE FROM t OUTPUT deleted.a COMMIT", "COMMIT"),
    ("EXEC dbo.p COMMIT TRANSACTION", "COMMIT"),
    ("DECLARE @x int COMMIT SELECT 1 AS a", "COMMIT"),
]


@pytest.mark.parametrize(("sql", "second"), DOUBLE)
def test_a_second_statement_is_found_without_a_semicolon(sql: str, second: str) -> None:
    with pytest.raises(Invalid, match="single statement") as caught:
        check_single(sql)
    assert f"Found another one: '{second}" in caught.value.hint
