# The API and the pages put together and onto a socket. Nothing but the command line stands above it.
"""The application, what stands around its routes, and the server it runs in."""
