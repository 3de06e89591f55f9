# The characters of a code page, as jt400 itself has them. Loaded in the runner child only.
"""`read_page`: 256 characters by their bytes.

The bundled Java knows no EBCDIC, and Python few of its countries; jt400 has a table for each CCSID.
"""

from functools import cache
from typing import Any

from pipekit.drivers.jdbc.jvm import JavaError, find_class, make_bytes
from pipekit.errors import StatementFailed

BYTES = 256
# As in CodePage.java: no character.
NONE = "\uffff"
_CONVERTER = "com.ibm.as400.access.CharConverter"


@cache
def read_page(driver_class: Any, ccsid: int) -> str:
    """The table of a CCSID, NONE for bytes that come back as others. Raises StatementFailed where there is no table."""
    try:
        converter = find_class(driver_class.getClassLoader().loadClass(_CONVERTER))(ccsid)
        texts = [str(converter.byteArrayToString(make_bytes(bytes([byte])))) for byte in range(BYTES)]
        kept = [_comes_back(converter, text, byte) for byte, text in enumerate(texts)]
    except JavaError as error:
        raise StatementFailed(f"jt400 knows no CCSID {ccsid}: {error}.", hint=_HINT) from None
    if not any(kept):
        raise StatementFailed(f"CCSID {ccsid} is no code page of one byte a character.", hint=_HINT)
    return "".join(text if is_kept else NONE for text, is_kept in zip(texts, kept, strict=True))


def _comes_back(converter: Any, text: str, byte: int) -> bool:
    return len(text) == 1 and bytes(converter.stringToByteArray(text)) == bytes([byte])


_HINT = "`translate` takes code pages of one byte a character, such as 37, 273, 500 or 1141."
