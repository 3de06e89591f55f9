# A source query without the blanks that fill up character(n). Pure text; knows no connection.
"""`build_trimmed_query` for modules that ask for `trim_char`."""

from collections.abc import Sequence

from pipekit.drivers.postgresql.names import quote_identifier

# character(n) and bpchar; a domain has an oid of its own and stays as it is.
_BPCHAR = 1042


def build_trimmed_query(query: str, described: Sequence[tuple[str, int, int]]) -> str:
    """The query with its padded columns as text, which drops the padding; `""` where it has none.

    `described` is (name, type oid, type modifier) of each column. Names may stand twice, so the columns are numbered.
    """
    if all(oid != _BPCHAR for _, oid, _ in described):
        return ""
    numbered = [f"p{place}" for place in range(1, len(described) + 1)]
    chosen = [
        (f"CAST(q.{own} AS text)" if oid == _BPCHAR else f"q.{own}") + f" AS {quote_identifier(name)}"
        for own, (name, oid, _) in zip(numbered, described, strict=True)
    ]
    return f"SELECT {', '.join(chosen)} FROM (\n{query}\n) AS q ({', '.join(numbered)})"
