"""``python -m selftest``: seed every defect, see every item turn red, and green again without it."""

import argparse
import datetime as dt
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from go_live import checklist, seen_red
from go_live.errors import ExitCode, GoliveError
from go_live.evidence.run_directory import encode, write_atomically
from go_live.seen_red import RECORD, Sighting
from selftest import batches, lint, runner
from selftest.batches import Batch
from selftest.control import Control
from selftest.controls import CONTROLS
from selftest.judge import Seen, explain
from selftest.project import ROOT, git, pack
from selftest.runner import Ended
from selftest.scenes import SCENES

JOBS = 3
"""Runs at a time: on two cores, one that waits for its worker leaves its core to the third."""


def main() -> int:
    """0: every control was seen red and every healthy project green; 1: not; 2: the controls do not fit the project."""
    args = _arguments()
    try:
        return lint_controls() if args.check else prove(args)
    except GoliveError as error:
        sys.stderr.write(f"selftest: {error}\n")
        return error.exit_code


def lint_controls() -> int:
    """Print what is wrong with the controls."""
    listed = [item.id for item in checklist.load(ROOT / "GO_LIVE_CHECKLIST.md")]
    checked = lint.checked_items(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("checks/test_*.py")))
    found = [*lint.problems(CONTROLS, SCENES, checked, listed), *lint.stale(CONTROLS, SCENES, ROOT)]
    sys.stdout.writelines(f"{line}\n" for line in found)
    if not found:
        sys.stdout.write(f"{len(CONTROLS)} controls on {len(checked)} items, each item with at least one\n")
    return ExitCode.USAGE if found else ExitCode.GO


def prove(args: argparse.Namespace) -> int:
    """Run the batches, say what was seen, write the record."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    chosen = [control for control in CONTROLS if _asked(control, args.only)]
    if not chosen:
        console.print(f"selftest: no control, item, family or scene is called {' '.join(args.only)}")
        return ExitCode.USAGE
    began = time.monotonic()
    planned = batches.plan(chosen, SCENES)
    console.print(f"{len(chosen)} controls in {len(planned)} runs, {args.jobs} at a time")
    folder = Path(tempfile.mkdtemp(prefix="golive-selftest-"))
    try:
        ended = run_all(planned, folder, args.jobs, Progress(console, chosen))
    finally:
        if args.keep:
            console.print(f"the projects lie in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    seen = [seen for each in ended for seen in each.seen]
    problems = [explain(each) for each in seen if each.problem] + [line for each in ended for line in each.problems]
    for problem in problems:
        console.print(problem, markup=False, style="red")
    keep_record(sightings(seen, folder), record=args.record)
    red = sum(each.problem is None for each in seen)
    console.print(
        f"{red} of {len(chosen)} controls seen red for their own reason, "
        f"{len(problems)} problem{'s' * (len(problems) != 1)}, {time.monotonic() - began:.0f} s"
    )
    return ExitCode.NO_GO if problems else ExitCode.GO


class Progress:
    """Says which controls are running, how many were seen red, how many are left."""

    def __init__(self, console: Console, controls: Sequence[Control]) -> None:
        """``controls`` are all that will run."""
        self._console, self._all, self._red, self._done = console, len(controls), 0, 0
        self._lock = threading.Lock()

    def began(self, batch: Batch) -> None:
        """A batch starts."""
        what = (
            ", ".join(f"{c.item} {c.id}" for c in batch.controls)
            or f"nothing seeded: all of {len(batch.selection)} green"
        )
        self._say(f"{batch.scene.name}: {what}")

    def ended(self, ended: Ended) -> None:
        """A batch is through."""
        with self._lock:
            self._done += len(ended.seen)
            self._red += sum(seen.problem is None for seen in ended.seen)
        wrong = [seen.control.id for seen in ended.seen if seen.problem] + list(ended.problems)
        count = f"{self._red} seen red, {self._all - self._done} left"
        self._say(f"{count}" + (f"; TROUBLE: {'; '.join(wrong)}" if wrong else ""))

    def _say(self, text: str) -> None:
        with self._lock:
            self._console.print(f"  {text}", markup=False)


def run_all(planned: Sequence[Batch], folder: Path, jobs: int, progress: Progress) -> list[Ended]:
    """Run every batch, ``jobs`` at a time."""
    packed = pack(folder / "packed")

    def one(number: int, batch: Batch) -> Ended:
        progress.began(batch)
        home = folder / f"{number:02}-{batch.scene.name}"
        home.mkdir()
        return runner.run(batch, home, packed)

    ended = []
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for future in as_completed([pool.submit(one, number, batch) for number, batch in enumerate(planned)]):
                ended.append(future.result())
                progress.ended(ended[-1])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return ended


def keep_record(now: Sequence[Sighting], *, record: bool) -> None:
    """Write what was seen into reports/, and with ``record`` into the file that is committed."""
    (ROOT / "reports").mkdir(exist_ok=True)
    known = {control.id for control in CONTROLS}
    for path in [ROOT / "reports" / RECORD.name, *([ROOT / RECORD] if record else [])]:
        before = [sighting for sighting in seen_red.load(path) if sighting.control in known]
        write_atomically(path, encode(seen_red.merged(before, now)))


def sightings(seen: Sequence[Seen], folder: Path) -> list[Sighting]:
    """What was seen red, today and in this checkout; the ``folder`` of the projects is left out of the reasons."""
    date, commit = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", _commit()
    return [
        Sighting(
            item=each.control.item,
            control=each.control.id,
            date=date,
            commit=commit,
            reason=each.reason.replace(f"{folder}/", ""),
        )
        for each in seen
        if each.reason is not None
    ]


def _commit() -> str:
    """The commit that is tested, with ``-dirty`` where the work tree differs; ``unknown`` outside a repository."""
    try:
        return git(ROOT, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    except subprocess.CalledProcessError:
        return "unknown"


def _asked(control: Control, only: Sequence[str]) -> bool:
    names = {control.id, control.item, control.item.split("-", maxsplit=1)[0], control.scene}
    return not only or bool(names & set(only))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m selftest", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="controls, items, families or scenes")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"runs at a time (default: {JOBS})")
    parser.add_argument("--record", action="store_true", help=f"also update {RECORD}, which is committed")
    parser.add_argument(
        "--check", action="store_true", help="only see that every item has a control, and each one fits"
    )
    parser.add_argument("--keep", action="store_true", help="leave the projects and their reports behind")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
