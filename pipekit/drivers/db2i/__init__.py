# Db2 for i over IBM's Toolbox driver: text in the other modules, the connection is that of JDBC.
"""The Db2 for i driver."""
