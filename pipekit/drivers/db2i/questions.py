# What is asked of an IBM i that nobody here has seen, and never its data. Pure text; knows no connection.
"""`QUESTIONS`, `READ` and `build_sized`. What a release does not know is refused by it, and that is an answer too."""

from pipekit.drivers.db2i.address import join_properties, split_properties
from pipekit.drivers.jdbc.asking import build_ask

_OWN = "WHERE TABLE_SCHEMA = CURRENT SCHEMA"
QUESTIONS = {
    "release": "SELECT OS_VERSION || '.' || OS_RELEASE FROM SYSIBMADM.ENV_SYS_INFO",
    "PTF group of Db2": (
        "SELECT PTF_GROUP_NAME, PTF_GROUP_LEVEL, PTF_GROUP_STATUS FROM QSYS2.GROUP_PTF_INFO"
        " WHERE UPPER(PTF_GROUP_DESCRIPTION) LIKE '%DB2 FOR I%' ORDER BY PTF_GROUP_LEVEL DESC"
    ),
    "system values": (
        "SELECT SYSTEM_VALUE_NAME, CURRENT_NUMERIC_VALUE, CURRENT_CHARACTER_VALUE FROM QSYS2.SYSTEM_VALUE_INFO"
        " WHERE SYSTEM_VALUE_NAME IN ('QCCSID', 'QDECFMT', 'QDATFMT', 'QQRYTIMLMT')"
    ),
    "schema": "SELECT CURRENT SCHEMA FROM SYSIBM.SYSDUMMY1",
    "time zone": "SELECT CURRENT TIMEZONE FROM SYSIBM.SYSDUMMY1",
    "commitment control": build_ask("isolation"),
    "tables of the schema": f"SELECT COUNT(*) FROM QSYS2.SYSTABLES {_OWN}",
    "columns by CCSID": f"SELECT CCSID, COUNT(*) FROM QSYS2.SYSCOLUMNS {_OWN} GROUP BY CCSID",
    "columns by type": f"SELECT DATA_TYPE, COUNT(*) FROM QSYS2.SYSCOLUMNS {_OWN} GROUP BY DATA_TYPE",
    "files with a journal": (
        "SELECT COUNT(*) FROM QSYS2.JOURNALED_OBJECTS WHERE OBJECT_LIBRARY = CURRENT SCHEMA AND OBJECT_TYPE = '*FILE'"
    ),
    "library PIPEKIT": "SELECT COUNT(*) FROM QSYS2.SYSSCHEMAS WHERE SCHEMA_NAME = 'PIPEKIT'",
    "special authorities": "SELECT SPECIAL_AUTHORITIES FROM QSYS2.USER_INFO WHERE AUTHORIZATION_NAME = SESSION_USER",
}
# What every system has thousands of rows of; they are counted and shown to nobody.
READ = "SELECT * FROM QSYS2.SYSCOLUMNS"
BLOCKS_KB = ("32", "128", "512", "4096", "16000")


def build_sized(connect_url: str, block_kb: str) -> str:
    """The address with blocks of another size."""
    head, properties = split_properties(connect_url)
    return join_properties(head, {**properties, "block size": block_kb})
