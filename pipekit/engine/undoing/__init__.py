"""Taking runs back: what is kept for it, whether it may be, and how."""
