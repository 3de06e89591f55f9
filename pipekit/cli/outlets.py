# Standard output and error of this process, either of which may be closed, full or gone. Knows no command.
"""`open_outlets`: after it, what cannot be written raises `OutputLost` once, or nothing where it is only told."""

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EBADF
from typing import Any, TextIO

from pipekit.errors import OutputLost

LAST_STANDARD_DESCRIPTOR = 2


class Outlet(io.RawIOBase):
    """One of the two. With `is_told` what is written there is only told: where it cannot be, it is left out.

    Each write is tried anew, as a disk that was full may have room again.
    """

    def __init__(self, descriptor: int, *, is_open: bool, is_told: bool) -> None:
        self.is_told = is_told
        self._descriptor = descriptor
        self._is_open = is_open
        self._has_raised = False

    def writable(self) -> bool:
        """Always, as a file that can be written."""
        return True

    def fileno(self) -> int:
        """The descriptor, open or not."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether a person looks on."""
        return self._is_open and os.isatty(self._descriptor)

    def write(self, data: Any, /) -> int:
        """How many bytes were taken. Raises OutputLost the first time they cannot be, where it is not only told."""
        try:
            return self._write(data)
        except OSError as error:
            if self.is_told or self._has_raised:
                return len(data)
            self._has_raised = True
            raise OutputLost(error.errno or 0) from error

    def _write(self, data: Any) -> int:
        if not self._is_open:
            raise OSError(EBADF, "closed")
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # Another process that shares it has switched waiting off.
                select.select([], [self._descriptor], [])


class Outlets:
    """Both of them; without `stdout` where somebody else has put streams of his own in their place."""

    def __init__(self, stdout: Outlet | None = None) -> None:
        self._stdout = stdout

    def only_tell(self) -> None:
        """From here on standard output too only tells what is done elsewhere."""
        if self._stdout is not None:
            self._stdout.is_told = True
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


@contextmanager
def open_outlets() -> Iterator[Outlets]:
    """Puts both in the place of `sys.stdout` and `sys.stderr` until the block ends."""
    before = sys.stdin, sys.stdout, sys.stderr
    if before[1:] != (sys.__stdout__, sys.__stderr__):
        yield Outlets()
        return
    raw = Outlet(1, is_open=sys.stdout is not None, is_told=False)
    err = Outlet(2, is_open=sys.stderr is not None, is_told=True)
    _fill_descriptors()
    try:
        sys.stdin = sys.stdin or io.TextIOWrapper(io.BytesIO())
        sys.stdout, sys.stderr = _open_text(raw, sys.stdout), _open_text(err, sys.stderr, errors="backslashreplace")
        yield Outlets(raw)
    finally:
        sys.stderr.flush()
        sys.stdin, sys.stdout, sys.stderr = before


def _fill_descriptors() -> None:
    """No file that is opened from here on gets the number of a stream that is closed: a stray print would damage it."""
    descriptor = 0
    while descriptor <= LAST_STANDARD_DESCRIPTOR:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)


def _open_text(raw: Outlet, like: TextIO | None, errors: str = "") -> TextIO:
    """As Python opened it: what a person looks at goes out line by line, and so does standard error."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding if like else "utf-8",
        errors=errors or (like.errors if like else "strict"),
        line_buffering=errors != "" or raw.isatty(),
    )
