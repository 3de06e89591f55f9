# Starting Pipekit with a wall clock that can be set from outside. Harms nothing.
"""`build_clocked`: what stands before `python -m pipekit`."""

import sys
from pathlib import Path

CLOCK = "clock"

# The wall clock of the program alone: where it reads it, it is off by as many seconds as a file says.
_CLOCKED = """
import datetime, runpy, sys, time
from pathlib import Path
path, really = Path(sys.argv[1]), time.time
def off():
    return float(path.read_text() or 0)
class Stepped(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(really() + off(), tz)
import pipekit.repo.state
pipekit.repo.state.datetime = Stepped
time.time = lambda: really() + off()
sys.argv = ["pipekit", *sys.argv[5:]]
runpy.run_module("pipekit", run_name="__main__", alter_sys=True)
"""


def build_clocked(path: Path) -> tuple[str, ...]:
    """For a program whose clock is off by the seconds that stand in this file at each moment."""
    return (sys.executable, "-c", _CLOCKED, str(path))
