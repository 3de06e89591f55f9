# MySQL and MariaDB over JDBC: where they differ from what the other products share.
"""MySQL and MariaDB."""
