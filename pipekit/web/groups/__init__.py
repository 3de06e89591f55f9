"""Pages of groups and their runs."""
