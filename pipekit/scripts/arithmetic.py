# Whole numbers as a shell calculates with them. Knows no variables.
"""`calculate`."""

import re

_TOKEN = re.compile(r"\s*(?:(\d+)|([-+*/%()]))")
_DEEPEST = 50


def calculate(text: str) -> int | None:
    """`2 * (3 + 4)` -> 14; None for anything that is not numbers, `+ - * / %` and parentheses."""
    tokens: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return None
        tokens.append(found[1] or found[2])
        at = found.end()
    try:
        value, rest = _sum(tokens, 0)
    except (IndexError, ZeroDivisionError, ValueError):
        return None
    return None if rest else value


def _sum(tokens: list[str], depth: int) -> tuple[int, list[str]]:
    value, tokens = _product(tokens, depth)
    while tokens and tokens[0] in "+-":
        sign = tokens[0]
        other, tokens = _product(tokens[1:], depth)
        value += other if sign == "+" else -other
    return value, tokens


def _product(tokens: list[str], depth: int) -> tuple[int, list[str]]:
    value, tokens = _atom(tokens, depth)
    while tokens and tokens[0] in "*/%":
        sign = tokens[0]
        other, tokens = _atom(tokens[1:], depth)
        quotient = abs(value) // abs(other) * (1 if (value < 0) == (other < 0) else -1) if sign != "*" else 0
        value = {"*": value * other, "/": quotient, "%": value - quotient * other}[sign]
    return value, tokens


def _atom(tokens: list[str], depth: int) -> tuple[int, list[str]]:
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if tokens[0] == "(":
        value, rest = _sum(tokens[1:], depth + 1)
        if not rest or rest[0] != ")":
            raise ValueError("a parenthesis does not end")
        return value, rest[1:]
    if tokens[0] in "+-":
        value, rest = _atom(tokens[1:], depth + 1)
        return (value if tokens[0] == "+" else -value), rest
    return int(tokens[0]), tokens[1:]
