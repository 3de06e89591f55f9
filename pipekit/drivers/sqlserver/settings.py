# The settings a session with SQL Server begins with, and reading them back. Pure text; knows no connection.
"""`SETTINGS`, one batch that pins everything by which a query may give other values or rows, and says what holds then.

They may come from the login's default language, the server's `user options`, or the client library.
"""

LOCK_TIMEOUT_MS = 60_000
_TEXTSIZE = 2_147_483_647
_DATE_FIRST = 7
_LANGUAGE = "us_english"

# The bits of @@OPTIONS.
_ON = {
    "ANSI_WARNINGS": 8,
    "ANSI_PADDING": 16,
    "ANSI_NULLS": 32,
    "ARITHABORT": 64,
    "QUOTED_IDENTIFIER": 256,
    "CONCAT_NULL_YIELDS_NULL": 4096,
    "XACT_ABORT": 16384,
}
_OFF = {"IMPLICIT_TRANSACTIONS": 2, "ARITHIGNORE": 128, "NOCOUNT": 512, "NUMERIC_ROUNDABORT": 8192}

# A text as a date shows the order of its parts.
_SAY = (
    "SELECT CONCAT(@@OPTIONS, N'|', @@TEXTSIZE, N'|', @@LOCK_TIMEOUT, N'|', @@DATEFIRST, N'|', "
    "MONTH(CAST('2001-02-03' AS datetime)), N'|', @@LANGUAGE)"
)
_SAYS = {
    "TEXTSIZE": str(_TEXTSIZE),
    "LOCK_TIMEOUT": str(LOCK_TIMEOUT_MS),
    "DATEFIRST": str(_DATE_FIRST),
    "DATEFORMAT": "2",
    "LANGUAGE": _LANGUAGE,
}

SETTINGS = "; ".join(
    [
        *(f"SET {name} ON" for name in _ON),
        *(f"SET {name} OFF" for name in _OFF),
        f"SET LANGUAGE {_LANGUAGE}",
        "SET DATEFORMAT ymd",
        f"SET DATEFIRST {_DATE_FIRST}",
        f"SET LOCK_TIMEOUT {LOCK_TIMEOUT_MS}",
        f"SET TEXTSIZE {_TEXTSIZE}",
        "SET ROWCOUNT 0",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        _SAY,
    ]
)


def find_unset(said: object) -> list[str]:
    """The names of the settings that do not hold, of what `SETTINGS` says at its end."""
    options, *values = str(said).split("|")
    if len(values) != len(_SAYS) or not options.isdecimal():
        return [*_ON, *_OFF, *_SAYS]
    bits = int(options)
    wrong = [name for name, bit in _ON.items() if not bits & bit]
    wrong += [name for name, bit in _OFF.items() if bits & bit]
    return wrong + [name for (name, wanted), value in zip(_SAYS.items(), values, strict=True) if value != wanted]
