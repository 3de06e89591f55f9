"""Watermarks: their values, and how they are written."""
