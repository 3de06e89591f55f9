"""The HTTP side: the JSON API, and the application that also carries the pages."""
