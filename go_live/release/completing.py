"""The last stage of a run, and of one that was cut off there: release on a GO, and keep in the run what was done."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from go_live.decide import RELEASED as RELEASED_ANSWERS
from go_live.errors import GoliveError
from go_live.evidence.run_directory import RunData, encode, write_atomically
from go_live.release.landing import Step, silent
from go_live.release.run import After, nothing_more, release_run
from go_live.report import render
from go_live.report.command import RELEASED, view_of


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a release."""

    lines: tuple[str, ...]
    """What was written or pushed, or why not; empty: the decision asks for no release."""
    problem: GoliveError | None
    """Why the release did not land; None: it did, or none was due."""


def complete(
    data: RunData,
    root: Path,
    directory: Path,
    *,
    environment: Mapping[str, str] = os.environ,
    step: Step = silent,
    after: After = nothing_more,
) -> Completed:
    """Render the report, release on a GO, and note in the run what was done.

    The record's report is rendered here and now: it says nothing of the release yet, and is the same on every attempt.

    Raises:
        GoliveError: the run's directory cannot be written to.
        KeyboardInterrupt: the user stopped it; its text says how to go on.
    """
    render.write_all(view_of(data), directory)
    if data.decision.answer not in RELEASED_ANSWERS:
        return Completed(lines=(), problem=None)
    try:
        lines, problem = (
            tuple(release_run(data, root, directory, environment=environment, step=step, after=after)),
            None,
        )
    except KeyboardInterrupt as error:
        version, run = data.plan.config.release.version, data.plan.run_id
        told = (
            f"the release of {version} was under way: `golive release {run}` completes it, or says that it is complete"
        )
        raise KeyboardInterrupt(told) from error
    except GoliveError as error:
        lines, problem = (f"not released: {error}",), error
    write_atomically(directory / RELEASED, encode(lines))
    return Completed(lines=lines, problem=problem)
