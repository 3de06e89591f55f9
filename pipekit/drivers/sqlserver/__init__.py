"""The `sqlserver` driver: text in `driver`, its connection in `wire`."""
