"""Pipekit keeps tables in one database in step with queries in another."""

__version__ = "0.1.0"
