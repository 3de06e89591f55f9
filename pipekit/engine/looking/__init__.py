"""Looking into databases outside of a run."""
