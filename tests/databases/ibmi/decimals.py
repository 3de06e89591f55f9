# Db2's decimal numbers as bytes: packed, zoned, and decimal floating point. Knows no column.
"""`pack`, `zone`, `float_decimal` and their way back, after IEEE 754-2008 and Db2's own forms."""

from decimal import Context, Decimal

# The usual 28 digits would round a DECIMAL(31).
_WIDE = Context(prec=80)
_NEGATIVE = (0xB, 0xD)


def pack(value: Decimal, precision: int, scale: int) -> bytes:
    """Two digits in a byte, the sign in the last half; raises OverflowError."""
    number, digits = _split(value, precision, scale)
    return bytes.fromhex((digits + ("D" if number < 0 else "F")).rjust((precision // 2 + 1) * 2, "0"))


def unpack(data: bytes, scale: int) -> Decimal:
    """The number; raises ValueError for bytes that are none."""
    digits, sign = data.hex()[:-1], int(data.hex()[-1], 16)
    return _join(digits, sign, scale)


def zone(value: Decimal, precision: int, scale: int) -> bytes:
    """A digit in a byte, the sign in the last one's upper half; raises OverflowError."""
    number, digits = _split(value, precision, scale)
    data = bytearray(0xF0 | int(digit) for digit in digits)
    if number < 0:
        data[-1] &= 0xDF
    return bytes(data)


def unzone(data: bytes, scale: int) -> Decimal:
    """The number; raises ValueError for bytes that are none."""
    return _join("".join(f"{byte & 15:x}" for byte in data), data[-1] >> 4, scale)


def _split(value: Decimal, precision: int, scale: int) -> tuple[int, str]:
    number = int(value.scaleb(scale, _WIDE).to_integral_value(context=_WIDE))
    digits = str(abs(number)).rjust(precision, "0")
    if len(digits) > precision:
        raise OverflowError(value)
    return number, digits


def _join(digits: str, sign: int, scale: int) -> Decimal:
    number = int(digits)
    return Decimal(-number if sign in _NEGATIVE else number).scaleb(-scale, _WIDE)


# -- DECFLOAT, which is IEEE 754's decimal64 and decimal128 with densely packed digits ---------------------------------

# By digits: bits in all, bits of the exponent behind the combination field, and what is added to the exponent.
_FORMS = {16: (64, 8, 398), 34: (128, 12, 6176)}


def float_decimal(value: Decimal, digits: int) -> bytes:
    """8 bytes for 16 digits, 16 for 34; raises OverflowError for a number that has no such form."""
    width, more, bias = _FORMS[digits]
    sign, figures, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        special = 0b11110 << 1 if exponent == "F" else 0b11111 << 1 | (exponent == "N")
        return (sign << (width - 1) | special << (width - 7)).to_bytes(width // 8, "big")
    # A large exponent has zeros behind the digits instead, as far as there is room.
    more_zeros = max(0, exponent + bias - (3 << more) + 1)
    exponent -= more_zeros
    text = ("".join(map(str, figures)) + "0" * more_zeros).rjust(digits, "0")
    lead, power = int(text[0]), exponent + bias
    if len(text) > digits or power < 0:
        raise OverflowError(value)
    top = power >> more
    number = sign << 5 | (top << 3 | lead if lead < 8 else 0b11000 | top << 1 | lead & 1)
    number = number << more | power & ((1 << more) - 1)
    for at in range(1, digits, 3):
        number = number << 10 | _DECLETS[int(text[at : at + 3])]
    return number.to_bytes(width // 8, "big")


def unfloat_decimal(data: bytes) -> Decimal:
    """The number, NaN or an infinity."""
    digits = 16 if len(data) == 8 else 34
    width, more, bias = _FORMS[digits]
    number = int.from_bytes(data, "big")
    sign, combination = number >> (width - 1), number >> (width - 6) & 0b11111
    if combination >= 0b11110:
        name = "Infinity" if combination == 0b11110 else "sNaN" if number >> (width - 7) & 1 else "NaN"
        return Decimal(("-" if sign else "") + name)
    large = combination >= 0b11000
    top, lead = (combination >> 1 & 3, 8 | combination & 1) if large else (combination >> 3, combination & 7)
    rest = width - 6 - more
    power = top << more | number >> rest & ((1 << more) - 1)
    groups = [_DIGITS[number >> at & 0x3FF] for at in range(rest - 10, -1, -10)]
    return Decimal(f"{'-' if sign else ''}{lead}{''.join(f'{group:03d}' for group in groups)}E{power - bias}")


def _build_declet(number: int) -> int:
    """Three digits in ten bits: digits up to 7 keep their three bits, larger ones their last."""
    bits = [[int(digit) >> at & 1 for at in (3, 2, 1, 0)] for digit in f"{number:03d}"]
    (a, b, c, d), (e, f, g, h), (i, j, k, m) = bits
    packed = {
        (0, 0, 0): (b, c, d, f, g, h, 0, j, k, m),
        (0, 0, 1): (b, c, d, f, g, h, 1, 0, 0, m),
        (0, 1, 0): (b, c, d, j, k, h, 1, 0, 1, m),
        (1, 0, 0): (j, k, d, f, g, h, 1, 1, 0, m),
        (1, 1, 0): (j, k, d, 0, 0, h, 1, 1, 1, m),
        (1, 0, 1): (f, g, d, 0, 1, h, 1, 1, 1, m),
        (0, 1, 1): (b, c, d, 1, 0, h, 1, 1, 1, m),
        (1, 1, 1): (0, 0, d, 1, 1, h, 1, 1, 1, m),
    }
    return int("".join(map(str, packed[a, e, i])), 2)


_DECLETS = [_build_declet(number) for number in range(1000)]
_DIGITS = {declet: number for number, declet in enumerate(_DECLETS)}
