"""``golive judge``: what was measured -> an answer, offline and as often as one likes."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from go_live import recorded
from go_live.config import Config, load
from go_live.errors import UsageError
from go_live.judge import claims, samples, soak
from go_live.judge.compare import Comparison, Run, compare
from go_live.judge.summary import conclude
from go_live.judge_view import show
from go_live.judgement import Judgement
from go_live.outcome import Outcome, Verdict, exit_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from go_live.decide import ItemResult
    from go_live.evidence.run_directory import RunData
    from go_live.judge.samples import Sample
    from go_live.table import Table

DESCRIPTION = """\
Judge a run directory, a release's record, a records file (JSON lines) or a CSV of the recorded format, without
measuring again.

A CSV does not say what it was. Without --slo it is judged against the SLO table of a load level, or, when it has
more rows than a load level has requests, against the soak's criteria, which are the stricter ones.
In a records file every record names its phase; --slo then picks one of them.
"""

EXAMPLES = """\
examples:
  golive judge soak.csv --slo soak
  golive judge load.csv --rows 31-60 --json
  golive judge after.csv --against before.csv

exit codes: 0 pass, 1 NO-GO, 2 wrong input, 3 inconclusive, 4 not measured
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("path", type=Path, help="run directory, records file or CSV")
    parser.add_argument("--slo", choices=("load", "soak"), help="limits to judge by")
    parser.add_argument("--rows", metavar="A-B", help="only these rows, from 1, both included")
    parser.add_argument("--against", type=Path, metavar="OTHER", help="show the difference to another file, too")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="limits (default: golive.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Judge and print; returns the exit code of the outcome.

    Raises:
        UsageError: the input is not what it has to be.
    """
    if args.path.is_dir():
        return _run_directory(args)
    judgement = judge(args.path, load(args.config), slo=args.slo, rows=args.rows, against=args.against)
    _print(judgement, as_json=args.json)
    return exit_code(judgement.outcome)


def judge(
    path: Path, config: Config, *, slo: str | None = None, rows: str | None = None, against: Path | None = None
) -> Judgement:
    """Judge the file at ``path``.

    Raises:
        UsageError: a file is not what it has to be, or the two are of different kinds.
    """
    if is_records(path):
        found = recorded.select(recorded.read_records(path), rows)
        judgement = judge_records(found, config, slo=slo, source=str(path))
        ours = run_of_records(path.name, found)
    else:
        whole = recorded.read_samples(path)
        kept = recorded.select(whole, rows)
        judgement = judge_samples(kept, config, slo=slo or guess(len(whole), config), source=str(path))
        ours = run_of_samples(path.name, kept)
    return msgspec.structs.replace(judgement, comparison=_compare(ours, against)) if against else judgement


def guess(rows: int, config: Config) -> str:
    """What a CSV of so many rows was: longer than a load level, it is held to the stricter limits of a soak."""
    return "soak" if rows > config.load.requests_per_level else "load"


def judge_samples(kept: Sequence[Sample], config: Config, *, slo: str, source: str) -> Judgement:
    """Judge the rows of a CSV against the limits of a load level or of the soak."""
    if slo == "soak":
        verdicts, missing = samples.soak_verdicts(config.soak, config.slo, kept), samples.MISSING_FOR_SOAK
    else:
        verdicts, missing = samples.load_verdicts(config.slo, kept), samples.MISSING_FOR_LOAD
    return _judgement(verdicts, len(kept), source, slo, missing)


def judge_records(records: Table, config: Config, *, slo: str | None, source: str) -> Judgement:
    """Judge a run's records: each load level, the soak, and success once over both."""
    phases = (slo,) if slo else ("load", "soak")
    due = records.of_phases(phases)
    verdicts: list[Verdict] = []
    for phase, level in due.groups():
        if phase == "load":
            verdicts += claims.load_claims(config.slo, due, level=level)
    present = [phase for phase in phases if len(due.where(phase=phase))]
    if "soak" in present:
        verdicts += soak.soak_claims(config.soak, config.slo, due, planned_s=None)
    rate = config.soak.success_rate if present == ["soak"] else config.slo.success_rate
    need = claims.pooled_rule(config.slo, anytime="soak" in present)
    verdicts.append(claims.success_claim(due, rate, need))
    missing = ("planned duration",) if "soak" in present else ()
    return _judgement(verdicts, len(due), source, " and ".join(present or phases), missing)


def is_records(path: Path) -> bool:
    """Whether the file holds JSON lines rather than a CSV."""
    return recorded.first_character(path) == "{"


def run_of_samples(name: str, kept: Sequence[Sample]) -> Run:
    """The side of a comparison that a CSV gives."""
    return Run(name=name, totals_ms=[one.total_ms for one in kept], tokens=[one.tokens for one in kept])


def run_of_records(name: str, records: Table) -> Run:
    """The side of a comparison that records give."""
    due = claims.judged(records)
    kept = not np.isnan(due.delay_ms[due.ok]).any()
    return Run(
        name=name,
        totals_ms=due.total_ms,
        tokens=np.nan_to_num(due.output_tokens),
        queues_ms=due.queue_ms if kept else None,
    )


def _compare(ours: Run, other: Path) -> Comparison:
    if is_records(other):
        theirs = run_of_records(other.name, recorded.read_records(other))
    else:
        theirs = run_of_samples(other.name, recorded.read_samples(other))
    try:
        return compare(ours, theirs)
    except ValueError as error:
        raise UsageError(f"cannot compare {ours.name} with {other}: {error}") from error


def _judgement(verdicts: list[Verdict], n: int, source: str, slo: str, missing: Sequence[str]) -> Judgement:
    outcome, reason = conclude(verdicts)
    return Judgement(
        outcome=outcome, reason=reason, n=n, verdicts=verdicts, source=source, slo=slo, not_in_file=missing
    )


def _run_directory(args: argparse.Namespace) -> int:
    """A run directory brings its own plan; only ``--json`` applies to it."""
    given: dict[str, Any] = {"--slo": args.slo, "--rows": args.rows, "--against": args.against}
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} is for files; {args.path} is a run directory, judged by its own plan")
    # pytest and the checks are imported only for run directories.
    from go_live.evidence.run_directory import VERDICTS  # noqa: PLC0415
    from go_live.release.run import expired  # noqa: PLC0415
    from go_live.replay import differences, judge_again  # noqa: PLC0415

    data = judge_again(args.path, Path.cwd())
    notes = [*differences(args.path, data)] if (args.path / VERDICTS).exists() else []
    notes += waiver_notes(data)
    if trouble := expired(data, time.time()):
        notes.append(f"this judges the run as of its end; today {trouble}")
    judgement = judgement_of_run(data, notes)
    _print(judgement, as_json=args.json)
    return data.decision.exit_code


def waiver_notes(data: RunData) -> list[str]:
    """One line for each waiver of the run: what it came to, and who answers for it."""
    return [
        f"{one.waiver.source} is {one.standing}: {one.why}; owner {one.waiver.owner}, approver {one.waiver.approver}, "
        f"until {one.waiver.expires}"
        for one in data.decision.waivers
    ]


def judgement_of_run(data: RunData, notes: Sequence[str] = ()) -> Judgement:
    """A run that was judged again, as an answer; ``reason`` is its decision's."""
    blocking = data.decision.blocking
    unblocked = Outcome.PASS if data.decision.exit_code == 0 else Outcome.ERROR
    return Judgement(
        outcome=blocking[0].outcome if blocking else unblocked,
        reason=data.decision.reason,
        n=len(claims.judged(data.log.records)),
        verdicts=[verdict for result in data.results for verdict in _verdicts_of(result, data)],
        source=data.decision.run_id,
        slo="plan's",
        notes=notes,
    )


def _verdicts_of(result: ItemResult, data: RunData) -> list[Verdict]:
    """An item's verdicts under its id; a required item without any is shown as what it is."""
    if result.verdicts or result.item not in data.plan.required:
        return [msgspec.structs.replace(verdict, item=result.item) for verdict in result.verdicts]
    claim = next(item.claim for item in data.plan.items if item.id == result.item)
    return [Verdict(claim=f"{result.item}: {claim}", outcome=result.outcome, reason=result.reason, item=result.item)]


def _print(judgement: Judgement, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.encode(judgement).decode() + "\n")
    else:
        show(judgement)
