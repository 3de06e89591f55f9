# The demonstration: a small shop, moved twice. Loaded when it is asked for.
"""`run_demo`: makes a shop database, moves it with Pipekit's own engine, changes it, moves that too, and compares."""

from pipekit.demo.tour import run_demo

__all__ = ["run_demo"]
