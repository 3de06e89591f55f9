"""Scripts around jrunner, read without running them: what they do becomes a definition file."""
