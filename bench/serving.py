# `pipekit serve` as a process of its own. Knows no page.
"""`start_server`: a server on a home until the block ends."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import build_environment, pipekit_path
from bench.measure import CommandFailed

START_WITHIN_S = 30.0
END_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where it answers, and which process it is."""

    port: int
    pid: int


@contextmanager
def start_server(home: Path) -> Iterator[Server]:
    """Serves a home until the block ends; raises CommandFailed with what it logged when it does not start."""
    port = find_port()
    log_path = home.parent / "serve.log"
    with log_path.open("wb") as log:
        argv = [pipekit_path(), "serve", "--port", str(port), "--log-level", "warning"]
        process = subprocess.Popen(argv, env=build_environment(home), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            if not _answers(port, process):
                raise CommandFailed(f"pipekit serve did not start:\n{log_path.read_text(errors='replace')}")
            yield Server(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def find_port() -> int:
    """A port nobody uses now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False
