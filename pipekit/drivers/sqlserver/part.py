# A column of a started query, as ODBC describes it. Pure; knows no connection.
"""`Part`."""

from dataclasses import dataclass

# Beyond this many characters or bytes a column may hold values of any size.
LONG = 8000

# ODBC's codes for types, and how SQL Server spells them. `{n}` is the size, `{s}` the digits behind the point.
_DATETIME2, _DATETIMEOFFSET = 93, -155
_CODES = {
    -7: "bit", -6: "tinyint", 5: "smallint", 4: "int", -5: "bigint", 7: "real", 6: "float", 8: "float",
    3: "decimal({n},{s})", 2: "decimal({n},{s})", 91: "date", -154: "time({s})", _DATETIME2: "datetime2({s})",
    _DATETIMEOFFSET: "datetimeoffset({s})", 1: "char({n})", 12: "varchar({n})", -1: "text", -8: "nchar({n})",
    -9: "nvarchar({n})", -10: "ntext", -2: "binary({n})", -3: "varbinary({n})", -4: "image", -11: "uniqueidentifier",
    -152: "xml", -150: "sql_variant",
}  # fmt: skip
_WITH_MAX = (12, -9, -3)


@dataclass(frozen=True, slots=True)
class Part:
    """A column of a started query as ODBC describes it."""

    name: str
    code: int
    size: int
    scale: int

    @property
    def type_text(self) -> str:
        """The type as SQL Server spells it, as far as ODBC tells it; `""` where it does not."""
        size = "max" if self.code in _WITH_MAX and not 0 < self.size <= LONG else self.size
        return _CODES.get(self.code, "").format(n=size, s=self.scale)

    @property
    def loses_digits(self) -> bool:
        """Whether Arrow would hold less than the server has."""
        return self.code == _DATETIMEOFFSET or (self.code == _DATETIME2 and self.scale == 7)

    @property
    def is_long(self) -> bool:
        """Whether a value may be of any size."""
        return self.code in (-1, -10, -4, -152) or (self.code in _WITH_MAX and not 0 < self.size <= LONG)
