"""The corridor of one run, and its stages that move rows."""
