"""Connections: the list, a page, the form with its fields, and the test."""
