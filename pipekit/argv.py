# The command line as other users of the machine see it. Knows which of its words are passwords, and no command.
"""`hide_passwords`: overwrites the passwords of this process's own command line, where Linux keeps it.

It is done before anything else is loaded, so this file loads nothing either until the words behind flags are gone.
"""

PASSWORD_FLAGS = (b"-scp", b"-dcp")
_IN_URL = rb"(?i)(?:password|pwd)=([^&;\0]+)|//[^/@:\0]*:([^@\0]+)@"


def hide_passwords() -> bool:
    """Whether no password is left in what `ps` and /proc show; False where this system does not let us see to it.

    The words lie in this process's own memory, between two addresses that the kernel tells. They are written through
    /proc/self/mem, which refuses a wrong address where a pointer would crash.
    """
    try:
        with open("/proc/self/cmdline", "rb") as file:
            words = file.read()
        _overwrite(_find_behind_flags(words))
        _overwrite(_find_in_urls(words))
    except (OSError, ValueError):
        return False
    return True


def _find_behind_flags(words: bytes) -> list[tuple[int, int]]:
    """(offset, length) of each password in words that are each ended by a NUL byte."""
    found, offset, before = [], 0, b""
    for word in words.split(b"\0"):
        name, equals, _ = word.partition(b"=")
        if before in PASSWORD_FLAGS:
            found.append((offset, len(word)))
        elif name in PASSWORD_FLAGS and equals:
            found.append((offset + len(name) + 1, len(word) - len(name) - 1))
        # The word after a flag is its value, even one that looks like a flag.
        offset, before = offset + len(word) + 1, b"" if before in PASSWORD_FLAGS else word
    return found


def _find_in_urls(words: bytes) -> list[tuple[int, int]]:
    """The same of passwords within addresses, one word each."""
    import re

    spans = [match.span(1 if match[1] is not None else 2) for match in re.finditer(_IN_URL, words)]
    return [(start, end - start) for start, end in spans]


def _overwrite(spans: list[tuple[int, int]]) -> None:
    if not spans:
        return
    start = _find_start()
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        for offset, length in spans:
            memory.seek(start + offset)
            memory.write(b"*" * length)


def _find_start() -> int:
    """Where the words begin: field 48 of /proc/self/stat, `arg_start`. The name in field 2 may hold anything."""
    with open("/proc/self/stat", "rb") as file:
        rest = file.read().rpartition(b")")[2].split()
    return int(rest[48 - 3])
