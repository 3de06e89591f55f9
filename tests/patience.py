# How long a test waits for what must come. Knows nothing of what is waited for.
"""`PATIENCE_S`: nothing here takes that long on the busiest machine; what has not come by then will not come."""

PATIENCE_S = 120.0
