"""What is asked of staged rows beyond what their dest asks: by the module, and by its own past."""
