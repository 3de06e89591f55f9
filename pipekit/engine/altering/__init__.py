"""Columns of a dest that are renamed, retyped or dropped: asking for it, doing it, and the definitions that follow."""
