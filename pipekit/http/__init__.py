# What the pages and the API both need of a request. Knows neither.
"""The state database of a request, who it is from, and what an error is as a status."""
