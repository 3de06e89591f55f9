# Web addresses that people set. Knows nothing of what is asked there.
"""`check_web_address`."""

import re
from urllib.parse import urlsplit

from pipekit.errors import Invalid
from pipekit.models import PASSWORD_PATTERN


def check_web_address(url: str, *, field: str, or_secret: bool = False) -> None:
    """Raises Invalid for what is no http or https address, and for one with a password in it.

    With `or_secret` it may be the name of a secret that holds one.
    """
    if or_secret and re.fullmatch(PASSWORD_PATTERN, url):
        return
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good, parts = False, urlsplit("")
    if not is_good or any(c.isspace() or not c.isprintable() for c in url):
        raise Invalid("This is no address that begins with http:// or https://.", field=field)
    if parts.username or parts.password:
        raise Invalid("A password does not belong here.", field=field, hint="Keep the address as a secret: $NAME.")
