# What sets Db2 for i apart among the databases that are reached over JDBC. Data only.
"""`DB2I`: its spellings, limits and few words of SQL.

New columns for text are graphic in CCSID 1200: they hold every character, where VARCHAR in the job's CCSID would put a
substitute for one it does not have.
"""

from pipekit.drivers.jdbc.products import Product, Spellings

DB2I = Product(
    name="db2i",
    label="Db2 for i",
    url_example="jdbc:as400://ibmi.example.com/SHOPLIB;translate binary=true",
    java_class="com.ibm.as400.access.AS400JDBCDriver",
    schemes=("jdbc:as400:",),
    spellings=Spellings(
        plain={
            "bool": "SMALLINT",
            "int16": "SMALLINT",
            "int32": "INTEGER",
            "int64": "BIGINT",
            "float32": "REAL",
            "float64": "DOUBLE",
            "date": "DATE",
            "uuid": "CHAR(36) CCSID 37",
            "xml": "XML",
        },
        text="VARGRAPHIC({n}) CCSID 1200",
        char="GRAPHIC({n}) CCSID 1200",
        bytes="VARBINARY({n})",
        long_text="DBCLOB(512M) CCSID 1200",
        long_bytes="BLOB(2147483647)",
        max_text=16000,
        max_char=254,
        max_bytes=32700,
        any_decimal="DECFLOAT(34)",
        max_precision=63,
        time="TIME",
        timestamptz="",
        any_timestamptz="",
        max_fraction=12,
    ),
    compares=True,
    pads=True,
    version_sql="SELECT OS_VERSION || '.' || OS_RELEASE FROM SYSIBMADM.ENV_SYS_INFO",
    one_row="SYSIBM.SYSDUMMY1",
    as_text="CAST({value} AS VARCHAR(200))",
    drops_if_exists=False,
    # It has no statement that renames a column of a table.
    alters={
        "retype": "ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {type}",
        "drop": "ALTER TABLE {table} DROP COLUMN {column} RESTRICT",
    },
)
