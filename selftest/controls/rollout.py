"""Defects of a rollout, as what it left behind shows them."""

from selftest.control import Act, Change, Control


def _rolled_out(
    name: str, item: str, reason: str, *changes: Change, act: Act | None = None, disturbs: tuple[str, ...] = ()
) -> Control:
    """A control of what a rollout left behind."""
    return Control(id=name, item=item, reason=reason, scene="rolled-out", changes=changes, act=act, disturbs=disturbs)


ROLLOUT = (
    _rolled_out("step-judged-by-a-stranger", "ROL-1", "which is not pinned", act="rollout judged by a stranger"),
    _rolled_out(
        "slow-candidate-passed-by-a-blind-judge",
        "ROL-1",
        "exec time is at most 10 % above the current's",
        act="rollout judged by a blind judge",
        disturbs=("ROL-2",),
    ),
    _rolled_out(
        "traffic-went-to-another-endpoint",
        "ROL-1",
        "the candidate was 4cqta56swdioxi, and another was validated",
        Change(file="golive.toml", old='id = "4cqta56swdioxi"', new='id = "another"'),
        disturbs=("ROL-2",),
    ),
    _rolled_out(
        "watch-of-what-wears-out", "ROL-2", "exec_ms does not worsen by more than 20 %", act="watch of what wears out"
    ),
    _rolled_out(
        "watched-above-a-limit",
        "ROL-2",
        "total p50 is at most 2500 ms",
        Change(file="golive.toml", old="total_ms_p50 = 5000\n", new="total_ms_p50 = 2500\n"),
        disturbs=("ROL-1",),
    ),
)
