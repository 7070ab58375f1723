"""The documented request limits."""

from contextlib import ExitStack

import pytest

from go_live.local_endpoint.limits import LIMITS, Limiter, TooManyError


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.mark.parametrize(("operation", "rate"), [(name, rate) for name, (rate, _) in LIMITS.items()])
def test_the_documented_rate_is_the_limit(operation: str, rate: int) -> None:
    """So many within ten seconds pass, one more does not, and after ten seconds they pass again."""
    clock = Clock()
    limiter = Limiter(clock)
    for _ in range(rate):
        with limiter.admit(operation):
            pass
    with pytest.raises(TooManyError, match=operation), limiter.admit(operation):
        pass
    clock.now = 10.0
    with limiter.admit(operation):
        pass


@pytest.mark.parametrize(("operation", "at_once"), [("run", 200), ("runsync", 400), ("status", 400), ("cancel", 20)])
def test_the_documented_concurrency_is_the_limit(operation: str, at_once: int) -> None:
    """So many at once, not one more; a finished one makes room."""
    limiter = Limiter(Clock())
    with ExitStack() as held:
        for _ in range(at_once - 1):
            held.enter_context(limiter.admit(operation))
        with limiter.admit(operation), pytest.raises(TooManyError, match="at once"), limiter.admit(operation):
            pass
        with limiter.admit(operation):
            pass


def test_operations_without_a_documented_limit_are_free() -> None:
    """Health has none."""
    limiter = Limiter(Clock())
    for _ in range(5000):
        with limiter.admit("health"):
            pass
