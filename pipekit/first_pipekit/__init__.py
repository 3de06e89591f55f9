"""The first Pipekit's state file, read without changing it: definitions, and the record of its runs."""
