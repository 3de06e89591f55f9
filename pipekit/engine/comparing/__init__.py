"""A dest held against its source: what is compared, by which means, and what differs."""
