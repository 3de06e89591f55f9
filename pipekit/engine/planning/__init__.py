"""What a run will do, decided before a row moves."""
