# `pipekit WORDS...` without a process of its own: what a command does, prints and returns. Knows no command.
"""`run_here`: the command line called where the test runs, as most tests are not about starting Python."""

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO
from unittest import mock

from pipekit.cli import main
from pipekit.runner.process import Finished


def run_here(words: Sequence[str], *, env: Mapping[str, str], input_text: str | None = None) -> Finished:
    """One command line to its end, `env` the whole environment; its streams are files, so none is a terminal."""
    with _streams(input_text or "") as (out, err), _environment(env), _signals():
        code = main(list(words))
        return Finished(code=code, stdout=_read(out), stderr=_read(err))


@contextlib.contextmanager
def _streams(input_text: str) -> Iterator[tuple[IO[str], IO[str]]]:
    """Newlines are left as they are written, as in a pipe."""
    with contextlib.ExitStack() as stack:
        given, out, err = (
            stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline=newline))
            for newline in (None, "", "")
        )
        given.write(input_text)
        given.seek(0)
        for name, file in (("stdin", given), ("stdout", out), ("stderr", err)):
            stack.enter_context(mock.patch.object(sys, name, file))
        yield out, err


def _read(file: IO[str]) -> str:
    file.flush()
    file.seek(0)
    return file.read()


@contextlib.contextmanager
def _environment(env: Mapping[str, str]) -> Iterator[None]:
    """The zone of a process is read once, from its environment."""
    try:
        with mock.patch.dict(os.environ, env, clear=True):
            time.tzset()
            yield
    finally:
        time.tzset()


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """A command may set handlers for the rest of its process, which here is not its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
