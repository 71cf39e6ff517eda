"""What people and programs talk to: dashboard pages, HTTP API, command line."""
