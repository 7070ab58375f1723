"""``golive plan``: what a run would show, how long it takes and what it costs, before anything is spent."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from go_live import config as configuration
from go_live.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.config import ProfileName
    from go_live.planning.needs import Need, Planned
    from go_live.planning.simulation import Chances, Simulated, Truth

DESCRIPTION = """\
Say of each claim on a share of requests what the planned run can show: the requests that it will rest on, the misses
allowed, the least number that shows it without a miss, the time and the dollars that takes; and which claims the run is
too short for. With --simulate also how such a run is likely to end, for a service of which the truth is assumed.
"""
EXAMPLES = """\
examples:
  golive plan                                         the rehearsal
  golive plan --profile production --simulate
  golive plan --simulate --true p95=0.97              if 97 % of the requests are really within the p95 limits
  golive plan --simulate --true soak.total_p95=0.96 success=0.995 burst=3

--true names a share of requests: p50 or p95 (of every figure), one claim (total_p95, exec_p50, throughput, ...), one
claim in one scope (soak.total_p95, c=2.total_p95), success or correct; or burst, the mean length of bursts of misses.
What is not named is as [assumed] in golive.toml says.

exit codes: 0 the run can show every claim, 2 usage or configuration, 3 it is too short for some
"""
REPETITIONS, SEED = 1000, 1


class ChanceCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How often a claim, or the whole run, came out how, of so many simulated runs."""

    repetitions: int
    passed: int
    failed: int
    inconclusive: int


class SimulatedRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--simulate`` found."""

    seed: int
    run: ChanceCounts
    """Passed: GO on all that is simulated."""
    assumed: Mapping[str, float]
    """The service's truth: shares of requests, and the mean length of bursts."""


class ClaimPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One claim, as ``--json`` prints it."""

    item: str
    scope: str
    key: str
    claim: str
    requests: int
    misses_allowed: int | None
    """None: the run is too short to show it."""
    least_requests: int
    """Without a miss."""
    minutes: float
    """Which these take."""
    dollars: float
    chances: ChanceCounts | None


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--json`` prints."""

    outcome: str
    """``pass``: the run can show every claim; ``inconclusive``: it is too short for some."""
    reason: str
    profile: str
    requests: int
    minutes: float
    dollars: float
    """Of levels and soak."""
    expected_dollars: float
    """Of the whole run: with the burst, and what its workers idle."""
    max_dollars: float | None
    """What a run may cost; None: it costs nothing."""
    assumed_total_ms: float
    burst_length: int
    undecidable: list[str]
    claims: list[ClaimPlan]
    simulated: SimulatedRuns | None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--profile", default="rehearsal", help="rehearsal (default), production or test")
    parser.add_argument("--simulate", action="store_true", help="also show how such a run is likely to end")
    parser.add_argument(
        "--true",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=SHARE",
        help="with --simulate: the service's truth",
    )
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, metavar="N", help="simulated runs (1000)")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="of the simulation (1)")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="limits (default: golive.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Reckon and print; the exit code says whether the run can show every claim.

    Raises:
        UsageError: configuration or arguments are wrong.
    """
    # scipy is imported only once it is clear that there is something to reckon.
    from go_live.judge_view import default_console  # noqa: PLC0415
    from go_live.planning import view  # noqa: PLC0415
    from go_live.planning.cost import expected  # noqa: PLC0415
    from go_live.planning.needs import planned  # noqa: PLC0415
    from go_live.tuning.adopting import with_cap  # noqa: PLC0415
    from go_live.tuning.record import LOCAL  # noqa: PLC0415

    config = configuration.load(args.config)
    profile = known_profile(config, args.profile)
    target = LOCAL if config.profile[profile].target == "local" else config.endpoint.id
    config = with_cap(config, args.config.absolute().parent, endpoints=[target], now=dt.datetime.now(dt.UTC))
    found = planned(config, profile)
    simulated = _simulate(args, config, found)
    dollars, limit = expected(config, found.profile), config.price.max_dollars
    if args.json:
        sys.stdout.write(msgspec.json.encode(answer(found, simulated, (dollars, limit))).decode() + "\n")
    else:
        view.show(default_console(), found, simulated, (dollars, limit))
    return ExitCode.GO if all(need.shown for need in found.needs) else ExitCode.INCONCLUSIVE


def answer(found: Planned, simulated: Simulated | None, cost: tuple[float, float]) -> PlanAnswer:
    """What ``--json`` prints of a plan; ``cost`` is what the whole run is expected to cost, and what it may."""
    from go_live.planning.needs import too_short  # noqa: PLC0415 - imports scipy
    from go_live.planning.view import sentence  # noqa: PLC0415

    missing = too_short(found)
    return PlanAnswer(
        outcome="inconclusive" if missing else "pass",
        reason=sentence(found),
        profile=found.profile,
        requests=sum(phase.requests for phase in found.phases),
        minutes=found.seconds / 60,
        dollars=found.dollars,
        expected_dollars=cost[0],
        max_dollars=None if found.local else cost[1],
        assumed_total_ms=found.total_ms,
        burst_length=found.burst_length,
        undecidable=missing,
        claims=[_claim(need, simulated.claims[i] if simulated else None) for i, need in enumerate(found.needs)],
        simulated=_runs(simulated) if simulated else None,
    )


def known_profile(config: configuration.Config, name: str) -> ProfileName:
    """The profile of that name.

    Raises:
        UsageError: golive.toml has none.
    """
    for known in config.profile:
        if known == name:
            return known
    raise UsageError(f"no profile {name!r} in golive.toml; it has {', '.join(config.profile)}")


def truth_of(config: configuration.Config, said: Sequence[str], known: frozenset[str]) -> Truth:
    """What is assumed of the service: golive.toml's figures, and what was ``said`` (``p95=0.97``) on top.

    Raises:
        UsageError: it is not of that form, or names nothing that is asked.
    """
    from go_live.planning.simulation import Truth  # noqa: PLC0415 - imports scipy

    common: dict[str, Any] = {}
    single: dict[str, float] = {}
    for one in said:
        key, _, value = one.rpartition("=")
        if key == "burst":
            common[key] = _burst(one, value)
        elif key in {"p50", "p95", "success", "correct"}:
            common[key] = _share(one, value)
        elif key in known:
            single[key] = _share(one, value)
        else:
            names = ", ".join(["p50", "p95", "success", "correct", "burst", *sorted(known)])
            raise UsageError(f"--true {one}: write KEY=SHARE, with a KEY of {names}")
    return msgspec.structs.replace(Truth.of(config.assumed), **common, single=single)


def _simulate(args: argparse.Namespace, config: configuration.Config, found: Planned) -> Simulated | None:
    from go_live.planning.simulation import known_keys, simulate  # noqa: PLC0415 - imports scipy

    if not args.simulate:
        if args.true:
            raise UsageError("--true is for a simulation: give --simulate as well")
        return None
    if args.repetitions < 1 or args.seed < 0:
        raise UsageError("--repetitions is at least 1, and --seed at least 0")
    truth = truth_of(config, args.true, known_keys(found.needs))
    return simulate(found, truth, repetitions=args.repetitions, seed=args.seed)


def _share(said: str, value: str) -> float:
    share = _number(said, value)
    if not 0 <= share <= 1:
        raise UsageError(f"--true {said}: a share lies between 0 and 1")
    return share


def _burst(said: str, value: str) -> int:
    burst = _number(said, value)
    if not (burst >= 1 and burst.is_integer()):
        raise UsageError(f"--true {said}: bursts have a whole mean length of at least 1")
    return int(burst)


def _number(said: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"--true {said}: {value!r} is no number") from None


def _counts(chances: Chances) -> ChanceCounts:
    return ChanceCounts(
        repetitions=chances.repetitions, passed=chances.passed, failed=chances.failed, inconclusive=chances.open
    )


def _runs(simulated: Simulated) -> SimulatedRuns:
    truth = simulated.truth
    common = {"p50": truth.p50, "p95": truth.p95, "success": truth.success, "correct": truth.correct}
    return SimulatedRuns(
        seed=simulated.seed,
        run=_counts(simulated.run),
        assumed=common | dict(truth.single) | {"burst": float(truth.burst)},
    )


def _claim(need: Need, chances: Chances | None) -> ClaimPlan:
    return ClaimPlan(
        item=need.item,
        scope=need.scope,
        key=need.key,
        claim=need.claim,
        requests=need.planned,
        misses_allowed=need.allowed,
        least_requests=need.least,
        minutes=need.seconds / 60,
        dollars=need.dollars,
        chances=_counts(chances) if chances else None,
    )
