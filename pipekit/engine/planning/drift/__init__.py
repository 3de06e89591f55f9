"""Columns of the source that are not as the dest has them."""
