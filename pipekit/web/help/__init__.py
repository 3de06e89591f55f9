# The documents as pages.
