"""Each regression of the worker turns its item FAIL, with a reason that names it; the unchanged worker passes.

The gate runs as a user starts it. Its worker is a changed copy of ``worker/`` over the timed engine.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import project as projects
from tests.project import ROOT, git, golive
from tests.regressions.mutations import MUTATIONS, Mutation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

START = 'import runpy\n\nrunpy.run_module("rehearsal.timed_worker", run_name="__main__", alter_sys=True)\n'
"""Started by its path, it finds the ``worker`` that lies beside it before any other."""
COMMAND = 'worker_command = ["python", "-m", "rehearsal.timed_worker"]'
ENVIRONMENT = 'TIMED_EXEC_MS = "20"'
SLOWER = 'TIMED_EXEC_MS = "400"\nMAX_NUM_BATCHED_TOKENS = "1024"'
"""Long enough to be stopped in, and to be seen twice; a batch that the worker has to raise."""


def make(folder: Path, mutation: Mutation | None) -> Path:
    """A project whose worker is a copy of this one's, with ``mutation`` in it."""
    worker = folder / "copy" / "worker"
    shutil.copytree(ROOT / "worker", worker, ignore=shutil.ignore_patterns("__pycache__"))
    start = worker.parent / "start.py"
    start.write_text(START, encoding="utf-8")
    if mutation is not None:
        mutation.apply(worker)
    project = projects.make(folder)
    text = (project / "golive.toml").read_text(encoding="utf-8")
    for old, new in ((COMMAND, f'worker_command = ["python", "{start}"]'), (ENVIRONMENT, SLOWER)):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (project / "golive.toml").write_text(text, encoding="utf-8")
    git(project, "commit", "--quiet", "--all", "--message", "Serve the copy")
    return project


def gate(project: Path, items: Sequence[str]) -> tuple[int, dict[str, dict[str, Any]], str]:
    """The gate's exit code, its result for each of ``items``, and what it said."""
    done = golive(project, "run", "--profile", "test", "--only", *items, "--json")
    assert done.stdout, done.stderr
    verdicts = project / "reports" / json.loads(done.stdout)["run_id"] / "verdicts.json"
    results = {result["item"]: result for result in json.loads(verdicts.read_text(encoding="utf-8"))}
    return done.returncode, {name: results[name] for name in items}, done.stderr


def test_the_unchanged_worker_passes_every_item_that_a_regression_fails(tmp_path: Path) -> None:
    """Green control: in the same harness, without a mutation, all of these items pass."""
    code, results, said = gate(make(tmp_path, None), sorted({mutation.item for mutation in MUTATIONS}))
    assert {name: result["outcome"] for name, result in results.items()} == dict.fromkeys(results, "pass"), said
    assert code == 0


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_regression_fails_its_item(tmp_path: Path, mutation: Mutation) -> None:
    """The run exits with 1, and the item is FAIL for the reason that the regression gives it."""
    code, results, said = gate(make(tmp_path, mutation), [mutation.item])
    result = results[mutation.item]
    assert (code, result["outcome"]) == (1, "fail"), said
    failed = [verdict["reason"] for verdict in result["verdicts"] if verdict["outcome"] == "fail"]
    assert any(mutation.reason in reason for reason in failed), failed
    assert not [verdict for verdict in result["verdicts"] if verdict["outcome"] == "error"], result
