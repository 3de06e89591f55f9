# Db2 for i's connection: the JDBC one. What is special about it stands in the URL. Loaded in the runner child only.
"""`connect`, as the runner looks for it."""

from pipekit.drivers.jdbc.wire import connect

__all__ = ["connect"]
