# Any database with a JDBC driver: text in the other modules, the connection in `wire`.
"""The JDBC driver."""
