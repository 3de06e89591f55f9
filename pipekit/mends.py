# What most likely mends a fault, told by its words. Knows how databases put things, no run and no page.
"""`find_mend`."""

import re

# The first that fits counts. Each database has words of its own for the same thing.
_CAUSES = (
    (
        r"secret \w+ has no value",
        "Give the secret its value on the page Secrets, or name another one in the connection.",
    ),
    (
        r"certificate (verify|validation) failed|certificate is not accepted",
        "The server's certificate is not trusted here: the message names what the connection's address may say of it.",
    ),
    # Before the login, which SQL Server says has failed here too.
    (
        r"database \S{1,140} does not exist|unknown database|cannot open (user default )?database",
        "There is no such database on that server, or the login may not use it: check the connection's address.",
    ),
    (
        r"password authentication failed|login failed|access denied|logon (failure|denied)|no password supplied"
        r"|not authori[sz]ed|invalid (user|login|credentials)|wrong user name"
        r"|password .{0,20}(incorrect|not valid|wrong)",
        "The database refuses the login: check the connection's user name and the value of its secret, then test it.",
    ),
    (
        r"too many (clients|connections)|remaining connection slots",
        "The server takes no more connections now: try later, or lower the connection's limit of runs at once.",
    ),
    (
        r"unable to open database file|cannot be opened",
        "The file cannot be opened: see that it and its folder are there, and that Pipekit's user may use them.",
    ),
    (
        r"connection (to server .{0,80})?(failed|refused|timed out|reset|closed)|could not connect|cannot be reached"
        r"|no route to host|name or service not known|unknown host|could not translate host|failed to resolve"
        r"|communications? link failure|unable to connect|network is unreachable|nobody listens",
        "Nobody answers there: see that the database runs and that host and port of the connection are right; test it.",
    ),
    (
        r"permission (was )?denied (for|on)|insufficient privilege|not have permission|must be owner|(sql)?code=-551"
        r"|attempt to write a readonly",
        "The connection's user may not do this: grant the right that the message names.",
    ),
    (
        r"overflow|out of range|value.{0,40} too (long|large)"
        r"|(data|text|string) .{0,20}too long|does not fit|cannot be stored exactly|precision|cannot hold"
        r"|string or binary data would be trunc",
        "A value does not fit its column: widen that column in the dest.",
    ),
    (
        r"null value in column|not[- ]null constraint|cannot insert the value null|null not allowed",
        "A column of the dest takes no NULL: mend the rows in the source, or let the dest take NULL.",
    ),
    (
        r"duplicate key|unique constraint|unique index|stand more than once|primary key must be unique",
        "The same key comes twice: choose a key that tells these rows apart.",
    ),
    (
        r"foreign key",
        "Rows refer to others that the dest does not have: run the module that loads those first.",
    ),
    (
        r"(column|field) .{0,140}(does not exist|not found|is not valid)|no such column|invalid column name"
        r"|unknown column",
        "A name in the query is none of the source's columns: look how it is spelt there, and mend the query.",
    ),
    (
        r"(relation|table|object|view) .{0,140}(does not exist|not found)|no such table|invalid object name",
        "There is no such table there: check its name and its schema, and which connection the module uses.",
    ),
    (r"syntax error|parse error|incorrect syntax", "The database cannot read the query: mend it where it points."),
    (
        r"timed? ?out|no progress|did not answer|silence",
        "It took too long: see what holds the database up, or allow more time.",
    ),
)
# From here on a message repeats what stands in the row.
_DATA = re.compile(r"\bDETAIL:|\bKey \(")
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), mend) for pattern, mend in _CAUSES)


def find_mend(text: str) -> str:
    """What most likely mends what an error's text tells of; `""` when its words are not known."""
    said = _DATA.split(text, maxsplit=1)[0]
    return next((mend for pattern, mend in _COMPILED if pattern.search(said)), "")
