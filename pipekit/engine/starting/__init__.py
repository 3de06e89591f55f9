"""How runs begin, wait for their turn, and are stopped."""
