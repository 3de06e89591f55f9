# What sets the databases apart that are reached over JDBC: addresses, names, types, a few words of SQL. Data only.
"""The products that are known; `find_product` picks one by the name of the kind.

A registered kind is called like its product, or begins with its name and an underscore: `h2`, `derby_network`. Any
other name is a database that is spoken to in standard SQL.
"""

from collections.abc import Mapping
from dataclasses import replace

from pipekit.drivers.jdbc.product import PLAIN
from pipekit.drivers.jdbc.product import Product as Product
from pipekit.drivers.jdbc.product import Spellings as Spellings
from pipekit.models.altering import Change


def _names(text: str) -> frozenset[str]:
    return frozenset(text.lower().split())


# Names stay as they are written: nothing tells how an unknown database folds them.
STANDARD = Product(name="jdbc", label="JDBC", url_example="jdbc:vendor://localhost:5000/database", fold="keep")

_STANDARD_ALTERS: Mapping[Change, str] = {
    "rename": "ALTER TABLE {table} ALTER COLUMN {column} RENAME TO {name}",
    "retype": "ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {type}",
    "drop": "ALTER TABLE {table} DROP COLUMN {column}",
}

DERBY = Product(
    name="derby",
    label="Apache Derby",
    url_example="jdbc:derby://localhost:1527/shop",
    java_class="org.apache.derby.jdbc.ClientDriver",
    schemes=("jdbc:derby:",),
    parameters=_names("create ssl securityMechanism retrieveMessageText territory collation"),
    local=("/", "directory:/"),
    spellings=Spellings(
        plain=PLAIN,
        bytes="VARCHAR({n}) FOR BIT DATA",
        fixed_bytes="CHAR({n}) FOR BIT DATA",
        max_text=32672,
        max_bytes=32672,
        any_decimal="DECIMAL(31,10)",
        max_precision=31,
        timestamp="TIMESTAMP",
        timestamptz="",
        any_timestamptz="",
        max_fraction=9,
    ),
    compares=True,
    pads=True,
    version_sql="VALUES SYSCS_UTIL.SYSCS_GET_DATABASE_PROPERTY('DataDictionaryVersion')",
    one_row="SYSIBM.SYSDUMMY1",
    as_text="TRIM(CAST({value} AS CHAR(200)))",
    drops_if_exists=False,
    no_text=("bytes", "float32", "float64"),
    alters={
        "rename": "RENAME COLUMN {table}.{column} TO {name}",
        "retype": "ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {type}",
        "drop": "ALTER TABLE {table} DROP COLUMN {column} RESTRICT",
    },
    lengthens_only=True,
)
H2 = Product(
    name="h2",
    label="H2",
    url_example="jdbc:h2:tcp://localhost/shop",
    java_class="org.h2.Driver",
    schemes=("jdbc:h2:",),
    parameters=_names(
        "ifexists mode database_to_upper database_to_lower case_insensitive_identifiers lock_timeout non_keywords"
        " schema"
    ),
    remote=("tcp://", "ssl://"),
    case_blind_sql=(
        "SELECT SETTING_VALUE FROM INFORMATION_SCHEMA.SETTINGS WHERE SETTING_NAME = 'CASE_INSENSITIVE_IDENTIFIERS'"
    ),
    overrides=True,
    local=("/", "~/", "file:/", "file:~/"),
    max_name_bytes=256,
    spellings=Spellings(
        plain={**PLAIN, "uuid": "UUID", "json": "CHARACTER LARGE OBJECT"},
        fixed_bytes="BINARY({n})",
        max_text=1_000_000,
        max_char=1_000_000,
        max_bytes=1_000_000,
        any_decimal="DECFLOAT",
        max_precision=1000,
        time="TIME({n})",
        timetz="TIME({n}) WITH TIME ZONE",
        max_fraction=9,
    ),
    compares=True,
    version_sql="SELECT H2VERSION()",
    compare_long_bytes="HASH('SHA-256', {value})",
    compare_long="CAST({value} AS VARCHAR)",
    compare_other="CAST({value} AS VARCHAR)",
    own_names=frozenset({"VARCHAR_IGNORECASE", "JSON"}),
    has_with=True,
    alters=_STANDARD_ALTERS,
)
HSQLDB = Product(
    name="hsqldb",
    label="HSQLDB",
    url_example="jdbc:hsqldb:hsql://localhost/shop",
    java_class="org.hsqldb.jdbc.JDBCDriver",
    schemes=("jdbc:hsqldb:",),
    parameters=_names(
        "ifexists shutdown get_column_name close_result hsqldb.tx hsqldb.write_delay hsqldb.default_table_type"
    ),
    remote=("hsql://", "hsqls://", "http://", "https://"),
    overrides=True,
    local=("file:/", "file:~/"),
    spellings=Spellings(
        plain=PLAIN,
        # Not CLOB: HSQLDB forces each of them to the disk by itself, twice.
        long_text="VARCHAR(1000000000)",
        fixed_bytes="BINARY({n})",
        max_text=1_000_000,
        max_char=1_000_000,
        max_bytes=1_000_000,
        any_decimal="DECIMAL(100,30)",
        max_precision=1000,
        time="TIME({n})",
        timetz="TIME({n}) WITH TIME ZONE",
        max_fraction=9,
    ),
    compares=True,
    pads=True,
    compare_other="CAST({value} AS VARCHAR(1000))",
    sized_clocks=True,
    collations_sql="""\
SELECT COLUMN_NAME, COLLATION_NAME FROM INFORMATION_SCHEMA.COLUMNS
WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {table} AND COLLATION_NAME <> 'SQL_TEXT'""",
    version_sql="VALUES (DATABASE_VERSION())",
    alters={**_STANDARD_ALTERS, "drop": "ALTER TABLE {table} DROP COLUMN {column} RESTRICT"},
)
POSTGRESQL = Product(
    name="postgresql",
    label="PostgreSQL over JDBC",
    url_example="jdbc:postgresql://localhost:5432/dw",
    java_class="org.postgresql.Driver",
    schemes=("jdbc:postgresql:",),
    parameters=_names(
        "ssl sslmode sslrootcert sslcert sslkey connectTimeout socketTimeout loginTimeout currentSchema"
        " targetServerType prepareThreshold tcpKeepAlive defaultRowFetchSize reWriteBatchedInserts preferQueryMode"
        " binaryTransfer"
    ),
    fold="lower",
    max_name_bytes=63,
    index_in_schema=False,
    spellings=Spellings(
        plain={**PLAIN, "uuid": "uuid", "json": "json", "xml": "xml"},
        long_text="text",
        bytes="bytea",
        long_bytes="bytea",
        max_text=10_485_760,
        max_char=10_485_760,
        decimal="numeric({n},{s})",
        any_decimal="numeric",
        max_precision=1000,
        time="TIME({n})",
        timetz="TIME({n}) WITH TIME ZONE",
    ),
    compares=True,
    version_sql="SELECT current_setting('server_version')",
    compare_long="CAST({value} AS text)",
    compare_other="CAST({value} AS text)",
    has_with=True,
    alters={
        "rename": "ALTER TABLE {table} RENAME COLUMN {column} TO {name}",
        "retype": "ALTER TABLE {table} ALTER COLUMN {column} TYPE {type}",
        "drop": "ALTER TABLE {table} DROP COLUMN {column}",
    },
)
MYSQL = Product(
    name="mysql",
    label="MySQL over JDBC",
    url_example="jdbc:mysql://localhost:3306/shop",
    java_class="com.mysql.cj.jdbc.Driver",
    schemes=("jdbc:mysql:",),
    parameters=_names(
        "useSSL sslMode requireSSL verifyServerCertificate connectTimeout socketTimeout characterEncoding useUnicode"
        " zeroDateTimeBehavior tinyInt1isBit yearIsDateType useCursorFetch"
        " defaultFetchSize rewriteBatchedStatements allowPublicKeyRetrieval tcpKeepAlive useCompression"
    ),
    quote="`",
    fold="keep",
    max_name_bytes=64,
    spellings=Spellings(
        plain={**PLAIN, "float32": "FLOAT", "float64": "DOUBLE", "json": "JSON"},
        long_text="LONGTEXT",
        long_bytes="LONGBLOB",
        max_text=16000,
        max_char=255,
        any_decimal="DECIMAL(65,30)",
        max_precision=65,
        time="TIME({n})",
        timestamp="DATETIME({n})",
        any_timestamp="DATETIME(6)",
        timestamptz="",
        any_timestamptz="",
    ),
    compares=True,
    version_sql="SELECT version()",
    one_row="(SELECT 1) AS one",
    as_text="CAST({value} AS CHAR(200))",
    null_number="CAST(NULL AS SIGNED)",
    merges=False,
    alias_first=True,
    has_with=True,
    concatenates=False,
    index_in_schema=False,
    no_text=(),
    alters={
        "rename": "ALTER TABLE {table} RENAME COLUMN {column} TO {name}",
        "retype": "ALTER TABLE {table} MODIFY COLUMN {column} {type}",  # with the rest of it, see mysql/altering.py
        "drop": "ALTER TABLE {table} DROP COLUMN {column}",
    },
)
MARIADB = replace(
    MYSQL,
    name="mariadb",
    label="MariaDB over JDBC",
    url_example="jdbc:mariadb://localhost:3306/shop",
    java_class="org.mariadb.jdbc.Driver",
    schemes=("jdbc:mariadb:",),
    parameters=_names(
        "sslMode useSsl trustServerCertificate connectTimeout socketTimeout tinyInt1isBit yearIsDateType"
        " rewriteBatchedStatements useCompression tcpKeepAlive defaultFetchSize useBulkStmts"
    ),
)
ORACLE = Product(
    name="oracle",
    label="Oracle",
    url_example="jdbc:oracle:thin:@//localhost:1521/service",
    java_class="oracle.jdbc.OracleDriver",
    schemes=("jdbc:oracle:thin:",),
    parameters=_names("oracle.net.CONNECT_TIMEOUT oracle.jdbc.ReadTimeout oracle.net.ssl_server_dn_match"),
    remote=("@//", "@tcp://", "@tcps://", "@"),
    own_schema=True,
    spellings=Spellings(
        plain={
            **PLAIN,
            "bool": "NUMBER(1)",
            "int16": "NUMBER(5)",
            "int32": "NUMBER(10)",
            "int64": "NUMBER(19)",
            "float32": "BINARY_FLOAT",
            "float64": "BINARY_DOUBLE",
        },
        text="VARCHAR2({n} CHAR)",
        char="CHAR({n} CHAR)",
        bytes="RAW({n})",
        max_text=1000,
        max_char=500,
        max_bytes=2000,
        decimal="NUMBER({n},{s})",
        any_decimal="NUMBER",
        time="VARCHAR2(20 CHAR)",
        max_fraction=9,
    ),
    version_sql="SELECT banner FROM v$version",
    one_row="dual",
    row_number="ROWNUM",
    as_text="SUBSTR(TO_CHAR({value}), 1, 200)",
    drops_if_exists=False,
)
DB2 = Product(
    name="db2",
    label="Db2 for Linux, UNIX and Windows",
    url_example="jdbc:db2://localhost:50000/shop",
    java_class="com.ibm.db2.jcc.DB2Driver",
    schemes=("jdbc:db2:",),
    parameters=_names(
        "sslConnection currentSchema loginTimeout blockingReadConnectionTimeout securityMechanism sslVersion"
        " retrieveMessagesFromServerOnGetMessage fullyMaterializeLobData progressiveStreaming"
    ),
    spellings=Spellings(plain=PLAIN, max_text=8000, any_decimal="DECFLOAT(34)", max_precision=31, max_fraction=12),
    version_sql="SELECT service_level FROM TABLE(sysproc.env_get_inst_info())",
    one_row="SYSIBM.SYSDUMMY1",
    drops_if_exists=False,
)
SQLSERVER = Product(
    name="sqlserver",
    label="SQL Server over JDBC",
    url_example="jdbc:sqlserver://localhost:1433;databaseName=shop",
    java_class="com.microsoft.sqlserver.jdbc.SQLServerDriver",
    schemes=("jdbc:sqlserver:", "jdbc:jtds:sqlserver:"),
    parameters=_names(
        "databaseName database encrypt trustServerCertificate hostNameInCertificate instanceName instance portNumber"
        " loginTimeout socketTimeout lockTimeout selectMethod sendStringParametersAsUnicode applicationIntent"
        " multiSubnetFailover packetSize responseBuffering domain useNTLMv2 ssl tds"
    ),
    fold="keep",
    named_sql=(
        "SELECT s.name, o.name FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id"
        " WHERE o.object_id = OBJECT_ID(N{name}) AND o.type IN ('U', 'V')"
    ),
    schema_sql="SELECT SCHEMA_NAME()",
    spellings=Spellings(
        plain={**PLAIN, "bool": "BIT", "float64": "FLOAT", "uuid": "UNIQUEIDENTIFIER"},
        text="NVARCHAR({n})",
        char="NCHAR({n})",
        long_text="NVARCHAR(MAX)",
        long_bytes="VARBINARY(MAX)",
        max_text=4000,
        max_char=4000,
        max_bytes=8000,
        time="TIME({n})",
        timestamp="DATETIME2({n})",
        any_timestamp="DATETIME2",
        timestamptz="DATETIMEOFFSET({n})",
        any_timestamptz="DATETIMEOFFSET",
        max_fraction=7,
    ),
    version_sql="SELECT @@VERSION",
    one_row="(SELECT 1 AS x) AS one",
    row_number="ROW_NUMBER() OVER (ORDER BY (SELECT NULL))",
    as_text="CAST({value} AS NVARCHAR(200))",
    merges=False,
    alias_first=True,
    concatenates=False,
    index_in_schema=False,
)

PRODUCTS: Mapping[str, Product] = {
    product.name: product for product in (DERBY, H2, HSQLDB, POSTGRESQL, MYSQL, MARIADB, ORACLE, DB2, SQLSERVER)
}


def find_product(kind: str) -> Product:
    """The product a kind is called after, the standard where it is called like none."""
    return PRODUCTS.get(kind) or PRODUCTS.get(kind.partition("_")[0]) or STANDARD


def find_owner(jdbc_url: str) -> Product | None:
    """The product whose address this is."""
    found = [p for p in PRODUCTS.values() if jdbc_url.lower().startswith(p.schemes)]
    return found[0] if found else None
