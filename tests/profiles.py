# How many examples Hypothesis tries: few where somebody waits, all where nobody does. Knows no test.
"""`examples(full)`, and the profiles `full` (the default) and `quick` (`pytest --hypothesis-profile quick`)."""

from hypothesis import settings

# Neither knows a deadline: how long one example takes says more about the machine than about the code.
settings.register_profile("full", settings(), deadline=None)
settings.register_profile("quick", settings(), deadline=None, max_examples=20)
settings.load_profile("full")

_USUAL = 100


def examples(full: int) -> int:
    """The number of examples for a test that wants `full` of them; a quick run tries its share of that."""
    return max(1, full * settings().max_examples // _USUAL)


def is_quick() -> bool:
    """Whether this run is to be quick rather than thorough."""
    return settings().max_examples < _USUAL
