# `python -m pipekit`, and the program `pipekit`. Knows the command line only.
"""`main` runs the command line."""

import sys

from pipekit.argv import hide_passwords


def main() -> int:
    """Runs this process's command line and returns its exit code; passwords on it are hidden first of all."""
    if "jrunner" in sys.argv:
        hide_passwords()
    # What it loads takes a tenth of a second, in which everybody could read them.
    from pipekit.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
