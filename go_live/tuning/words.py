"""A judged sweep in words: the answer, the tables, the lines to paste. All outputs say the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from go_live.judge.summary import WORDS
from go_live.outcome import Outcome
from go_live.tuning.plan import DEFAULT, DEPLOYED, ROUNDS
from go_live.tuning.record import LOCAL, VARIABLE, declared_setting

if TYPE_CHECKING:
    from go_live.outcome import Verdict
    from go_live.tuning.cells import Level
    from go_live.tuning.judging import Claim, Sweep, Tuning
    from go_live.tuning.plan import TuningPlan

HEAD = ("c", "outcome", "n", "requests/s", "gain", "queue p50", "queue p95", "total p50", "total p95", "exec p50")
"""Of the table of one setting; times in ms."""
NOTHING = "—"
TIMED = "The timed engine answered: this shows the mechanism and is evidence of nothing."
CELL = {Outcome.PASS: "GO", Outcome.FAIL: "NO-GO"}
"""A level's outcome, where it differs from :data:`go_live.judge.summary.WORDS`."""


def headline(tuning: Tuning) -> str:
    """The answer in one sentence."""
    if tuning.cap is None:
        return f"no client cap is recommended: {tuning.reason}"
    return (
        f"keep at most {tuning.cap} requests in flight, with {setting(tuning.setting)}: {rate(tuning.throughput)}; "
        f"{tuning.reason}"
    )


def notes(plan: TuningPlan, tuning: Tuning) -> list[str]:
    """What a reader has to know beside the answer."""
    found = [TIMED] if tuning.timed else []
    if plan.where.endpoint_id == LOCAL and not tuning.timed:
        found.append("Measured on the local endpoint: rehearsal evidence, which says nothing of a live one.")
    if not tuning.complete:
        found.append("The sweep was cut off: what was not measured is open, and nothing of it can be adopted.")
    if tuning.needed is not None:
        found.append(f"What is open would be decided by a newly planned sweep: --runs {tuning.needed}.")
    return found


def cell(outcome: Outcome) -> str:
    """A level's outcome."""
    return CELL.get(outcome, WORDS[outcome])


def setting(value: str | None) -> str:
    """A value of MAX_CONCURRENCY, as a sentence names it."""
    if value in {DEFAULT, DEPLOYED, None}:
        return f"{VARIABLE} {value or NOTHING}"
    return f"{VARIABLE}={value}"


def rows(sweep: Sweep) -> list[tuple[str, ...]]:
    """The table of one setting; each gain is over the level before."""
    found, before = [], None
    for level in sweep.levels:
        found.append(_row(level, before))
        before = level
    return found


def turn_rows(tuning: Tuning) -> list[tuple[str, ...]]:
    """What turned a level from NO-GO to GO: level, claim, before, after, and the setting that did it."""
    return [
        (
            f"c={turn.concurrency}",
            claim.claim.partition(": ")[2] or claim.claim,
            f"{_figure(claim.before, claim)} (n={claim.n_before})",
            f"{_figure(claim.after, claim)} (n={claim.n_after})",
            f"{setting(turn.before)} → {setting(turn.after)}",
        )
        for turn in tuning.turned
        for claim in turn.claims
    ]


def paste(plan: TuningPlan, tuning: Tuning) -> list[str]:
    """Lines for golive.toml; none where no cap is recommended."""
    if tuning.cap is None:
        return []
    sweep = next(one for one in tuning.sweeps if one.setting == tuning.setting)
    lines = ["[endpoint.expected.env]", _env_line(plan, sweep), "", "[client]"]
    if tuning.timed:
        return [*lines, f"# concurrency_cap = {tuning.cap}  if a real engine shows the same"]
    if plan.where.endpoint_id == LOCAL:
        return [
            *lines,
            f"# {tuning.cap} is the local endpoint's cap. Set the line above with golive config apply, and measure the",
            "# live endpoint's: golive tune --target runpod",
        ]
    return [*lines, f'cap_record = "tuning/record.json"  # {tuning.cap}: golive tune --adopt reports/{tuning.run_id}']


def would_apply(plan: TuningPlan, tuning: Tuning) -> str | None:
    """What ``golive config apply`` would set of MAX_CONCURRENCY on a live endpoint; None: nothing."""
    declared, told = declared_setting(plan.config), tuning.sweeps[0].told.max_concurrency
    if plan.where.endpoint_id == LOCAL or declared is None or declared == str(told):
        return None
    return f"golive config apply would set {VARIABLE}={declared}; the endpoint ran with {told or 'an unknown value'}"


def method(plan: TuningPlan) -> str:
    """How it was measured, in one sentence."""
    return (
        f"{plan.requests} judged requests a level in {ROUNDS} rounds, levels and settings in an order drawn anew each "
        f"round (seed {plan.seed}); limits and tests are those of the go-live checklist"
    )


def rate(value: float | None) -> str:
    """Right answers a second."""
    return f"{value:.3g} requests/s" if value else "no throughput"


def _env_line(plan: TuningPlan, sweep: Sweep) -> str:
    number = sweep.told.max_concurrency
    if sweep.setting == DEFAULT:
        return f"# {VARIABLE} stays out: the worker's default{f' ({number})' if number else ''} was measured"
    if sweep.setting == DEPLOYED:
        declared = declared_setting(plan.config)
        return f'{VARIABLE} = "{declared}"' if declared else f"# {VARIABLE} stays as it is ({number or 'not told'})"
    return f'{VARIABLE} = "{sweep.setting}"'


def _row(level: Level, before: Level | None) -> tuple[str, ...]:
    by = {verdict.claim.partition(": ")[2].partition(" is ")[0]: verdict for verdict in level.verdicts}
    now, then = level.throughput, before.throughput if before else None
    return (
        str(level.concurrency),
        cell(level.outcome),
        str(level.n),
        f"{now:.3g}" if now else NOTHING,
        f"{round((now / then - 1) * 100):+d} %" if now and then else "",
        *(_ms(verdict) for verdict in level.queue),
        *(_ms(by.get(name)) for name in ("total p50", "total p95", "exec p50")),
    )


def _ms(verdict: Verdict | None) -> str:
    if verdict is None or not verdict.n or verdict.outcome is Outcome.ERROR:
        return NOTHING
    return "∞" if verdict.measured is None else f"{verdict.measured:,.0f}"


def _figure(value: float | None, claim: Claim) -> str:
    return "infinite" if value is None else f"{value:,.4g} {claim.unit or ''}".strip()
