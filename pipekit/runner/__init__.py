"""Runners: child processes that do everything remote."""
