# `python -m pipekit`. Knows the command line only.
"""Runs the command line."""

import sys

from pipekit.cli import main

if __name__ == "__main__":
    sys.exit(main())
