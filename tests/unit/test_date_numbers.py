# Numbers that mean dates: what a sample says of them, and what is offered for which type. Asks no database.
"""`judge` and `NumberDates.list_casts`."""

from collections.abc import Sequence

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn
from pipekit.drivers.datenumbers import FORMS, judge, tell


def list_fitting(*cells: str | None) -> list[str]:
    return [form.name for form in FORMS if judge(form, cells).fits]


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (["1240229", "991231", "0", "9999999", None], ["CYYMMDD"]),
        (["20240229", "10101", "99999999"], ["YYYYMMDD"]),
        (["20240229", "20241231 ", "", "00000000"], ["YYYYMMDD"]),
        (["12312024", "1012024"], ["MMDDYYYY"]),
        (["31122024", "1012024"], ["DDMMYYYY"]),
        (["123199", "10124"], ["MMDDYY"]),
        (["311299", "10124"], ["DDMMYY"]),
        (["93005", "235959", "0"], ["HHMMSS"]),
        # A day that nobody has, a number beside the dates, a sign, a fraction, and no date at all.
        (["20240230"], []),
        (["20240229", "7"], []),
        (["-20240229"], []),
        (["20240229.5"], []),
        (["0", None, "99999999"], []),
        ([], []),
        # Small numbers are clocks as they are anything.
        (["1", "12", "59"], []),
        # Which of two forms it is, nobody can tell by these.
        (["240102", "231205"], ["CYYMMDD", "YYMMDD", "DDMMYY"]),
    ],
)
def test_a_form_fits_a_sample_whose_values_are_all_dates_of_it_or_stand_for_none(
    cells: Sequence[str | None], forms: list[str]
) -> None:
    assert list_fitting(*cells) == forms


def test_what_stands_for_no_date_is_told_apart() -> None:
    [form] = [form for form in FORMS if form.name == "YYYYMMDD"]
    judged = judge(form, ["20240229", "0", "0", "99999999", None, "  "])
    assert (judged.read, judged.zeros, judged.nines, judged.nulls, judged.blanks, judged.fits) == (1, 2, 1, 1, 1, True)
    assert tell(form, judged).startswith("YYYYMMDD: of 6 rows 1 dates, 2 0, 1 99999999, 1 blank, 1 NULL.")


@pytest.mark.parametrize(
    ("kind", "type_text", "first"),
    [
        ("db2i", "DECIMAL(7,0)", "date from CYYMMDD"),
        ("db2i", "NUMERIC(8,0)", "date from YYYYMMDD"),
        ("db2i", "NUMERIC(6,0)", "date from YYMMDD"),
        ("db2i", "CHAR(8) CCSID 37", "date from YYYYMMDD"),
        ("db2i", "INTEGER", "date from YYYYMMDD"),
        ("db2i", "CHAR(8) FOR BIT DATA", "text in EBCDIC (CCSID 37)"),
        ("db2i", "DECIMAL(7,2)", ""),
        ("db2i", "DECIMAL(5,0)", ""),
        ("db2i", "SMALLINT", ""),
        ("db2i", "DATE", ""),
        ("db2i", "VARCHAR(200) CCSID 37", ""),
        ("postgresql", "numeric(8,0)", "date from YYYYMMDD"),
        ("postgresql", "text", "date from YYYYMMDD"),
        ("sqlite", "INTEGER", "date from YYYYMMDD"),
        ("sqlite", "TEXT", ""),
        ("sqlserver", "decimal(7,0)", "date from CYYMMDD"),
    ],
)
def test_a_type_with_room_for_the_digits_may_be_read_as_a_date(kind: str, type_text: str, first: str) -> None:
    casts = get_driver(kind).list_casts(TableColumn(name="A", type=type_text))
    assert (casts[0].label if casts else "") == first
    assert all(cast.form or "EBCDIC" in cast.label for cast in casts)
