"""Runs that were cut short: whose they were, and what the dest says of them."""
