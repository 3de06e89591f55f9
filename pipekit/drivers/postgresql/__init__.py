"""The `postgresql` driver: text in `driver`, its connection in `wire`."""
