# The benchmark: Pipekit beside the fastest plain way to do the same. Not part of the package; nothing imports it.
