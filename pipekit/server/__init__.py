"""What goes on in the server process: dispatching, schedules, upkeep, and what systemd is told."""
