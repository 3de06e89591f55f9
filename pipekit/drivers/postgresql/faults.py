# What PostgreSQL's and its poolers' refusals mean: which pass by themselves, and what mends them. Pure text.
"""SQLSTATEs and words of errors."""

import re

TRANSIENT_STATES = ("08", "40", "53", "57P01", "57P02", "57P03", "57P05", "55P03", "25P03")
# What ends a load from outside; the row it happened to come in has nothing to do with it.
OUTSIDE_STATES = ("08", "25", "40", "53", "55", "57", "58", "XX")
_TRANSIENT_WORDS = re.compile(
    r"refused|timed? ?out|timeout expired|translate host name|closed the connection|connection reset|no route|"
    r"unreachable|starting up|shutting down|not yet accepting|in recovery|too many|connection slots|terminating|"
    r"broken pipe|no more connections",
    re.IGNORECASE,
)
FOREIGN_KEY_STATES = ("23503", "23001")
_LET_GO = "Load the tables that still refer to these rows first, or use the strategy upsert, which deletes nothing."
_PARENT_FIRST = "Load the table it refers to first; a group runs its modules in order."
_GUESS = "server closed the connection unexpectedly"
_STATEMENT_POOLING = "statement pooling"
_OWN_ENTRY = "Give Pipekit the server's own address, or an entry of the pooler with pool_mode = session or transaction."

# What a pooler says, or a server that ends the connection, and what mends it.
_WORDS = {
    _STATEMENT_POOLING: f"A run needs transactions. {_OWN_ENTRY}",
    "query_wait_timeout": "The pooler had no free connection to the server. A run needs two where its source and its "
    "dest are one entry of the pooler: raise default_pool_size, or give Pipekit the server's own address.",
    "query timeout": f"The pooler's query_timeout ended it. {_OWN_ENTRY}",
    "idle transaction timeout": f"The pooler's idle_transaction_timeout ended it. {_OWN_ENTRY}",
    "idle-session timeout": f"idle_session_timeout of the login cannot be lifted behind a pooler. {_OWN_ENTRY}",
    "due to transaction timeout": "transaction_timeout of the login cannot be lifted for a hook behind a pooler.",
}
_STATES = {
    "57014": "Somebody cancelled it, or a limit such as statement_timeout did. Pipekit lifts the login's own limits; "
    "left are an administrator, the limit of a function or a pooler, and a hook behind a pooler.",
    "25P03": "idle_in_transaction_session_timeout ended the session.",
    "25P04": "transaction_timeout ended the transaction.",
    "57P05": "idle_session_timeout ended the session.",
    "22P05": "The encoding of one of the two databases lacks this character; UTF8 has every one.",
    "25006": "A query that is read may not write, nor may its functions; for a dest the server, "
    "the login or the database is set to read only (default_transaction_read_only, a standby).",
}
_DENIED = "42501"
_OWN_SCHEMA = "Staging and the ledger are in the dest's schema pipekit_staging"
# Whose rights are missing where Pipekit works, not where the dest's owner does.
_OWN_RIGHTS = {
    "permission denied for database": f"{_OWN_SCHEMA}, which the first run makes: GRANT CREATE ON DATABASE to the "
    "login, or make the schema and give the login USAGE and CREATE on it.",
    "permission denied for schema pipekit_staging": f"{_OWN_SCHEMA}, which another login made: GRANT USAGE, CREATE ON "
    "SCHEMA pipekit_staging to this one, and SELECT, INSERT, UPDATE, DELETE on its table pipekit_ledger.",
    "permission denied for table pipekit_ledger": f"{_OWN_SCHEMA}, which another login made: GRANT SELECT, INSERT, "
    "UPDATE, DELETE ON pipekit_staging.pipekit_ledger to this one.",
}


def is_transient(state: str, message: str) -> bool:
    """Whether trying again can cure it."""
    return state.startswith(TRANSIENT_STATES) and not is_lasting(message)


def is_transient_login(message: str) -> bool:
    """Whether a failed login may succeed later; libpq gives words only."""
    return bool(_TRANSIENT_WORDS.search(message)) and not is_lasting(message)


def is_lasting(message: str) -> bool:
    """Whether a connection that was ended will be ended again for the same reason."""
    return _STATEMENT_POOLING in message


def tidy_loss(message: str) -> str:
    """The last words of a server or pooler, without what libpq guesses around them."""
    told, _, _ = message.removeprefix("consuming input failed: ").partition(_GUESS)
    return told.strip() or message.strip()


def tidy_hint(hint: str) -> str:
    """The server's own hint, unless it is to take other tables' rows or objects along."""
    return "" if "CASCADE" in hint else hint


def find_mend(state: str, message: str, detail: str = "") -> str:
    """What to do about it, `""` where the server's own words must do; `detail` tells the sides of a foreign key."""
    if state in FOREIGN_KEY_STATES:
        return _LET_GO if "referenced from" in detail else _PARENT_FIRST
    words_of = _OWN_RIGHTS if state == _DENIED else _WORDS
    told = next((mend for words, mend in words_of.items() if words in message), "")
    return told or _STATES.get(state, "")
