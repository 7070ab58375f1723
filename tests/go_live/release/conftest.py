"""Real git repositories: a clone to release from, and the bare remote it pushes to."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live import config as configuration
from go_live.checklist import Item, Plan, Repository, Target
from go_live.decide import ItemResult
from go_live.evidence.run_directory import decide_run
from go_live.outcome import Outcome, Verdict
from go_live.release import metadata as m
from go_live.release.state import Release, release_of
from go_live.release.way_back import WayBack
from go_live.waivers import DAY_S, Waiver

WHEN = 1_763_900_000
ENDED = WHEN - 60.0
"""End of the run, Unix time."""
FILES = {"log.jsonl": b'{"n":0}\n', "verdicts.json": b"[]\n", "report.html": b"<p>GO</p>\n"}
ROOT = Path(__file__).parents[3]


PERSON = {"NAME": "Rae Lease", "EMAIL": "rae@example.org"}
HERMETIC = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in PERSON.items()},
}


@pytest.fixture(autouse=True)
def hermetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the machine or the user reaches git; identity comes from the environment."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in HERMETIC.items():
        monkeypatch.setenv(name, value)


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder`` and return what it prints."""
    command = ["git", "-C", str(folder), *arguments]
    env = {"PATH": os.environ["PATH"], **HERMETIC}
    return subprocess.run(command, check=True, capture_output=True, env=env).stdout.decode().strip()


def new_repository(folder: Path) -> Path:
    """A repository on branch main with one commit, which ignores what golive writes."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    (folder / ".gitignore").write_text("/reports/\n/DEPLOYMENT_METADATA.json\n")
    commit(folder, "worker.py", "print('worker')\n")
    return folder


def commit(folder: Path, name: str, text: str) -> str:
    """Commit a file on the current branch, and return the commit's id."""
    (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", f"Add {name}")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone ``project``, pushed to its bare ``remote.git``: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    git(folder, "init", "--quiet", "--template=", "--bare", "--initial-branch=main", "remote.git")
    project = new_repository(folder / "project")
    commit(project, "README", "second commit\n")
    git(project, "remote", "add", "origin", (folder / "remote.git").as_uri())
    git(project, "push", "--quiet", "origin", "main")
    return folder


@pytest.fixture
def remote(tmp_path: Path, template: Path) -> Path:
    """A bare repository that holds the branch main."""
    return Path(shutil.copytree(template / "remote.git", tmp_path / "remote.git"))


@pytest.fixture
def root(tmp_path: Path, template: Path, remote: Path) -> Path:
    """A clone of ``remote``, over file://."""
    folder = Path(shutil.copytree(template / "project", tmp_path / "project"))
    git(folder, "remote", "set-url", "origin", remote.as_uri())
    git(folder, "status")
    return folder


@pytest.fixture(scope="session")
def config() -> configuration.Config:
    """The project's own golive.toml."""
    return configuration.load(ROOT / "golive.toml")


@pytest.fixture
def release(root: Path, config: configuration.Config) -> Release:
    """Release HEAD of ``root``."""
    return release_of(config, git(root, "rev-parse", "HEAD"))


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of a work tree and everything by which git names things: index, HEAD, refs, configuration.

    The object store is left out: objects that nothing names are no change that anybody can see.
    """
    paths = [path for path in folder.rglob("*") if path.is_file() and path.parent.parts.count("objects") == 0]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)}


def make_plan(config: configuration.Config, commit_id: str, **changes: Any) -> Plan:
    """A plan of two items in the profile ``test``."""
    items = tuple(
        Item(id=name, family="x", claim="c", phase="before-tag", required_by=("test",), evidence_days=7)
        for name in ("PERF-3", "SMK-1")
    )
    plan = Plan(
        run_id="20251010T121412Z-1a2b",
        profile="test",
        created_at="2025-10-10T12:14:12Z",
        target=Target(kind="local", endpoint_id="local", job_api="", device="timed"),
        repository=Repository(commit=commit_id, tree="b" * 40, branch="main", dirty=False, shallow=False),
        items=items,
        required=("PERF-3", "SMK-1"),
        selected=("PERF-3", "SMK-1"),
        soak_s=60.0,
        config=config,
        digests={},
        versions={},
    )
    return msgspec.structs.replace(plan, **changes)


PASSED = (
    ItemResult(
        item="PERF-3",
        outcome=Outcome.PASS,
        reason="124 of 124",
        concluded_at=ENDED - 600,
        verdicts=(
            Verdict(
                claim="c=2: half of the requests are answered within 5000 ms",
                outcome=Outcome.PASS,
                reason="p50 3453 ms, n=124",
                scope="c=2",
                measured=3453.0,
                limit=5000.0,
                unit="ms",
                n=124,
                misses=0,
            ),
        ),
    ),
    ItemResult(item="SMK-1", outcome=Outcome.PASS, reason="answered", concluded_at=ENDED - 600),
)
WAIVER = Waiver(
    item="SMK-1",
    profile="test",
    owner="Ada Lovelace <ada@example.org>",
    approver="Grace Hopper <grace@example.org>",
    reason="The route is\nnot used.",
    issued="2025-11-20",
    expires="2025-11-25",
    issued_at=ENDED - 3 * DAY_S,
    expires_at=ENDED + 2 * DAY_S,
    source="waivers.toml, waiver 1 (SMK-1)",
    approval="signed commit 3389986f0d33 by grace@example.org",
    version="v1.0-production",
)
FIGURES: Mapping[m.FigureName, m.Figure] = {
    "exec_ms_p50": m.Figure(value=2788.0, level="c=2", n=124),
    "total_ms_p50": m.Figure(value=3453.0, level="c=2", n=124),
    "queue_ms_p50": m.Figure(value=12.0, level="c=2", n=124),
    "success_rate": m.Figure(value=1.0, level="levels and soak", n=2556),
}


def make_metadata(plan: Plan, **changes: Any) -> dict[str, Any]:
    """Metadata of a GO on ``plan``."""
    fields: dict[str, Any] = {
        "plan": plan,
        "results": PASSED,
        "decision": decide_run(plan, PASSED, now=ENDED),
        "figures": FIGURES,
        "evidence": {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()},
        "deployed_at": "2025-10-10T13:30:00Z",
        "back": WayBack(),
    }
    return m.metadata(**fields | changes)


def make_record(config: configuration.Config, release: Release) -> tuple[str, dict[str, bytes]]:
    """Message and record of a release."""
    document = make_metadata(make_plan(config, release.commit))
    return m.tag_message(document), {**FILES, m.METADATA_NAME: m.encode(document)}


def rehearsal_plan(config: configuration.Config, commit_id: str) -> Plan:
    """A plan of the profile ``rehearsal`` on the CPU."""
    target = Target(kind="local", endpoint_id="local", job_api="", device="cpu")
    return make_plan(config, commit_id, profile="rehearsal", target=target)
