"""The pages: server-rendered HTML, fragments by HTMX."""
