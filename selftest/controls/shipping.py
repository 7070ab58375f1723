"""Defects on the way of a log line from the worker to where logs are kept."""

from go_live.outcome import Outcome
from selftest.control import Change, Control


def shipped(name: str, reason: str, change: Change, outcome: Outcome = Outcome.FAIL) -> Control:
    """A control of the lines that have to arrive."""
    return Control(id=name, item="MON-1", reason=reason, scene="gpu", changes=(change,), outcome=outcome)


SHIPPING = (
    shipped(
        "end-lines-are-not-shipped",
        "no end line of job",
        Change(file="go_live/shipping/allowed.py", old='{"start", "end", "probe",', new='{"start", "probe",'),
    ),
    shipped(
        "nothing-is-sent-before-an-hour-is-over",
        "is golive monitor ship-logs, or the agent, running?",
        Change(file="golive.toml", old="batch_max_age_s = 0.2", new="batch_max_age_s = 3600"),
    ),
    shipped(
        "the-aggregation-is-not-there",
        "the destination did not answer",
        Change(
            file="go_live/shipping/loki.py",
            old='self._web.ask("/loki/api/v1/query_range"',
            new='self._web.ask("/loki/api/v1/elsewhere"',
        ),
        outcome=Outcome.ERROR,
    ),
)
