"""The `sqlite` driver: text in `driver`, its connection in `wire`."""
