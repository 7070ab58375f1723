"""A release that is killed: at every step, by SIGKILL, a second call completes it with the very same objects.

Until the push has landed, nothing that anybody can see has changed: no tag, no branch, no file of the work tree.
"""

import functools
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from go_live import config as configuration
from go_live.config import Config
from go_live.decide import ItemResult
from go_live.errors import ReleaseIncompleteError, UsageError
from go_live.evidence.run_directory import RunData, read_run
from go_live.outcome import Outcome
from go_live.release import trust as trusts
from go_live.release.after import add_after, after_files
from go_live.release.completing import complete
from go_live.release.journal import NAME, Entry
from go_live.release.metadata import METADATA_NAME
from go_live.release.run import release_run
from go_live.release.signing import load_key
from go_live.release.state import release_of
from go_live.release.verify import verify
from go_live.waivers import DAY_S
from tests.go_live.release.conftest import HERMETIC, ROOT, WHEN, git, snapshot
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, settings, signed_by

STEPS = (
    "journal begun",
    "material made",
    "checked",
    "record made",
    "tag made",
    "journal written",
    "approved",
    "pushed",
    "landed",
    "local refs",
    "metadata at the root",
    "journal closed",
    "metadata in the run",
    "verdict recorded",
)
LANDED = STEPS.index("pushed")
VERSION = "v1.0-production"


class Case(msgspec.Struct):
    """A run that is to be released."""

    root: Path
    remote: Path
    directory: Path
    data: RunData
    config: Config
    environment: dict[str, str]

    def release(self, *, step: Callable[[str], None] = lambda _: None, later: float = 0.0) -> list[str]:
        """Release it, ``later`` seconds after WHEN."""
        return release_run(
            self.data, self.root, self.directory, lambda: WHEN + later, environment=self.environment, step=step
        )

    def killed_at(self, name: str) -> None:
        """Release it in a process of its own, which is killed when step ``name`` is done."""

        def kill(step: str) -> None:
            if step == name:
                os.kill(os.getpid(), signal.SIGKILL)

        child = os.fork()
        if child == 0:
            try:
                self.release(step=kill)
            finally:
                os._exit(99)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGKILL

    def fresh_evidence(self) -> tuple[Path, RunData]:
        """Another run of the same plan, which ended a minute ago by the real clock."""
        plan = msgspec.structs.replace(self.data.plan, run_id="fresh")
        return finished_run(self.root, plan, start=time.time() - 3060)

    def there(self) -> str:
        """Every ref of the remote."""
        return git(self.remote, "for-each-ref", "--format=%(refname) %(objectname)")

    def seen(self) -> dict[str, str]:
        """The work tree and everything by which git names things; of the run only what is released from it."""
        return {name: digest for name, digest in snapshot(self.root).items() if not name.startswith("reports/")}

    def journal(self) -> Entry:
        """The journal on disk."""
        return msgspec.json.decode((self.directory / NAME).read_bytes(), type=Entry)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Path:
    """A finished production run, signed by a pinned key, and what its release leaves when nothing disturbs it."""
    folder = tmp_path_factory.mktemp("crash")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in HERMETIC.items():
            patch.setenv(name, value)
        shutil.copytree(template, folder, dirs_exist_ok=True)
        git(folder / "project", "remote", "set-url", "origin", (folder / "remote.git").as_uri())
        git(folder / "project", "status")
        key = new_key(folder / "key")
        shipped = configuration.load(ROOT / "golive.toml")
        ours = settings(shipped, signers={"production": pin(folder / "signers", signed_by(key))})
        finished_run(folder / "project", plan_of(folder / "project", ours, "production"))
        shutil.copytree(folder, folder / "undisturbed")
        case = at(folder / "undisturbed", key=folder / "key")
        case.release()
        (folder / "expected").write_text(case.there())
    return folder


def at(folder: Path, *, key: Path) -> Case:
    """The case whose clone and remote lie in ``folder``."""
    root, remote = folder / "project", folder / "remote.git"
    git(root, "remote", "set-url", "origin", remote.as_uri())
    git(root, "status")
    (directory,) = (root / "reports").iterdir()
    data = read_run(directory)
    environment = {"GOLIVE_SIGNING_KEY": str(key)}
    return Case(
        root=root, remote=remote, directory=directory, data=data, config=data.plan.config, environment=environment
    )


@pytest.fixture
def case(tmp_path: Path, once: Path) -> Case:
    """A copy of the run, not released yet."""
    for name in ("project", "remote.git"):
        shutil.copytree(once / name, tmp_path / name)
    return at(tmp_path, key=once / "key")


@pytest.fixture
def expected(once: Path) -> dict[str, str]:
    """What a release that was never disturbed leaves on the remote, by ref."""
    return dict(row.split() for row in (once / "expected").read_text().splitlines())


def hook(repository: Path, name: str, script: str) -> Path:
    """Install a hook."""
    path = repository / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_steps_are_those_that_are_killed_at(case: Case) -> None:
    """The list below misses no step: a new one has to be killed at, too."""
    steps: list[str] = []
    case.release(step=steps.append)
    assert tuple(steps) == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_every_step(case: Case, expected: dict[str, str], step: str) -> None:
    """After SIGKILL at ``step`` the release is all there or not at all, and a second call completes it identically."""
    before, there = case.seen(), case.there()
    case.killed_at(step)
    if STEPS.index(step) < LANDED:
        assert case.there() == there
        assert case.seen() == before
    # Another day: the date of the objects is the journal's, not the clock's.
    case.release(later=3600)
    refs = dict(row.split() for row in case.there().splitlines())
    ours = {"refs/heads/main", f"refs/tags/{VERSION}"}
    assert {name: refs[name] for name in ours} == {name: expected[name] for name in ours}
    record = git(case.remote, "rev-list", "--max-parents=0", "releases")
    assert record == case.journal().record
    assert git(case.remote, "rev-list", "--count", "releases") == "2"
    assert git(case.root, "rev-parse", VERSION) == refs[f"refs/tags/{VERSION}"]
    assert git(case.root, "rev-parse", "releases") == refs["refs/heads/releases"]
    assert (case.root / METADATA_NAME).read_bytes() == (case.directory / METADATA_NAME).read_bytes()
    trust = trusts.load(case.config, case.root)
    assert verify(case.root, VERSION, trust=trust, remote="origin", records_branch="releases").outcome is Outcome.PASS


def test_a_completed_release_is_left_alone(case: Case) -> None:
    """Calling it again changes nothing anywhere, even when the evidence has expired and the key is gone."""
    case.release()
    before, there = case.seen(), case.there()
    case.environment = {}
    case.release(later=400 * DAY_S)
    assert (case.seen(), case.there()) == (before, there)


def test_killed_before_the_push_and_too_old_since(case: Case) -> None:
    """A release that did not land is not completed from expired evidence: exit 5, nothing changed."""
    case.killed_at("journal written")
    before, there = case.seen(), case.there()
    with pytest.raises(ReleaseIncompleteError, match=r"expired: .*run again"):
        case.release(later=8 * DAY_S)
    assert (case.seen(), case.there()) == (before, there)


def test_killed_in_the_middle_of_the_push(case: Case) -> None:
    """The client is killed while the remote takes the push: what landed without an answer is recognised as ours."""
    pids = case.root.parent / "pid"
    hook(case.remote, "post-receive", f"kill -9 $(cat {pids}); sleep 0.1")
    child = os.fork()
    if child == 0:
        try:
            pids.write_text(str(os.getpid()))
            case.release()
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    (case.remote / "hooks" / "post-receive").unlink()
    assert git(case.remote, "rev-parse", VERSION) == case.journal().tag
    assert git(case.root, "tag") == ""
    case.release(later=8 * DAY_S)
    assert git(case.root, "rev-parse", VERSION) == case.journal().tag


def test_interrupted(case: Case) -> None:
    """Ctrl-C once the push has landed: nobody is told that nothing was released, but how to go on."""

    def stop(step: str) -> None:
        if step == "landed":
            raise KeyboardInterrupt

    fresh, data = case.fresh_evidence()
    with pytest.raises(KeyboardInterrupt, match=f"`golive release {data.plan.run_id}` completes it"):
        complete(data, case.root, fresh, environment=case.environment, step=stop)
    assert git(case.remote, "tag") == VERSION
    assert complete(data, case.root, fresh, environment=case.environment).problem is None


def test_somebody_else_released_that_version_meanwhile(case: Case) -> None:
    """After a kill before the push, a rival's tag of that name is not ours: refused, and it stands."""
    case.killed_at("approved")
    git(case.remote, "tag", "--annotate", "--message=rival", VERSION, "main")
    before, there = case.seen(), case.there()
    with pytest.raises(ReleaseIncompleteError, match="somebody else released that version"):
        case.release()
    assert (case.seen(), case.there()) == (before, there)


def test_another_release_came_between(case: Case, expected: dict[str, str]) -> None:
    """The records branch advanced after the kill: the record is built on it anew, and the tag is the same object."""
    case.killed_at("approved")
    rival = git(case.remote, "commit-tree", "main^{tree}", "-m", "record of another release")
    git(case.remote, "update-ref", "refs/heads/releases", rival)
    case.release()
    assert git(case.remote, "rev-parse", VERSION) == expected[f"refs/tags/{VERSION}"]
    assert git(case.remote, "rev-list", "releases").split()[-1] == rival


def test_completed_after_the_branch_went_on(case: Case) -> None:
    """Landed, killed, and another record stands on ours by now: still ours, and nothing is pushed twice."""
    case.killed_at("pushed")
    tip = git(case.remote, "rev-parse", "releases")
    rival = git(case.remote, "commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", "record of another release")
    git(case.remote, "update-ref", "refs/heads/releases", rival)
    case.release()
    assert git(case.remote, "rev-parse", VERSION) == case.journal().tag


def test_landed_tag_whose_record_was_lost(case: Case) -> None:
    """The remote has our tag and a branch without our record: said so, and nothing is pushed over it."""
    case.killed_at("pushed")
    git(case.remote, "update-ref", "refs/heads/releases", "main")
    with pytest.raises(ReleaseIncompleteError, match="has lost the record"):
        case.release()


def test_objects_that_git_swept_away(case: Case, expected: dict[str, str]) -> None:
    """Objects that nothing names may be collected after the kill: they are made again, the same."""
    case.killed_at("approved")
    git(case.root, "prune", "--expire=now")
    case.release()
    assert git(case.remote, "rev-parse", VERSION) == expected[f"refs/tags/{VERSION}"]


def test_two_at_once(case: Case) -> None:
    """A second release of the same run is refused while the first goes on."""

    def again(step: str) -> None:
        if step == "checked":
            with pytest.raises(UsageError, match="another golive"):
                case.release()

    case.release(step=again)


def test_protected_branch(case: Case) -> None:
    """A remote whose rules refuse the records branch: exit 5, in its own words; completed once mended."""
    rule = hook(case.remote, "update", 'test "$1" != refs/heads/releases || { echo "protected branch" >&2; exit 1; }')
    before, there = case.seen(), case.there()
    with pytest.raises(ReleaseIncompleteError, match="protected branch"):
        case.release()
    assert (case.seen(), case.there()) == (before, there)
    rule.unlink()
    case.release()
    assert git(case.remote, "rev-parse", VERSION) == case.journal().tag


def test_the_verdict_after_the_tag_is_recorded_once(case: Case) -> None:
    """REL-3 stands in the record as PASS, in a file and in an attestation, and a repetition adds nothing."""
    lines = case.release()
    assert any(line.startswith("REL-3 PASS") for line in lines)
    folder = f"releases:{VERSION}/after-tag"
    assert git(case.remote, "ls-tree", "--name-only", folder).split() == ["REL-3.intoto.json", "REL-3.json"]
    verdict = msgspec.json.decode(git(case.remote, "show", f"{folder}/REL-3.json"))
    assert (verdict["item"], verdict["outcome"], verdict["concluded_at"]) == ("REL-3", "pass", float(WHEN))
    tip = git(case.remote, "rev-parse", "releases")
    case.release()
    assert git(case.remote, "rev-parse", "releases") == tip


def test_a_verdict_that_changed_stands_beside_the_first(case: Case) -> None:
    """What was said stays; another outcome is added under the next number, and the same one not again."""
    case.release()
    release = release_of(case.config, case.data.plan.repository.commit)
    key = load_key(case.config.signing, case.environment)

    def add(outcome: Outcome) -> bool:
        result = ItemResult(item="REL-4", outcome=outcome, reason="as seen", concluded_at=float(WHEN + 60))
        tag = case.journal().tag or ""
        made = functools.partial(after_files, result, tag=tag, profile="production", run_id="r", days=1, key=key)
        return add_after(case.root, release, "REL-4", made, when=WHEN + 60)

    assert [add(one) for one in (Outcome.FAIL, Outcome.FAIL, Outcome.PASS, Outcome.PASS)] == [True, False, True, False]
    listed = git(case.remote, "ls-tree", "--name-only", f"releases:{VERSION}/after-tag").split()
    assert [name for name in listed if name.startswith("REL-4") and "intoto" not in name] == [
        "REL-4.2.json",
        "REL-4.json",
    ]
    trust = trusts.load(case.config, case.root)
    found = verify(case.root, VERSION, trust=trust, remote="origin", records_branch="releases")
    assert (found.outcome, found.steps[-1].reason) == (Outcome.PASS, "REL-3 PASS, REL-4 FAIL, REL-4 PASS")


def test_a_branch_that_is_always_ahead(case: Case) -> None:
    """The verdict cannot be added because others push all the time: released all the same, and the line says so."""
    count = case.remote / "count"
    hook(
        case.remote,
        "update",
        f'case "$1" in refs/heads/releases) echo x >> {count}; test $(wc -l < {count}) -lt 2;; esac',
    )
    lines = case.release()
    assert any("not recorded" in line for line in lines)
    assert git(case.remote, "rev-parse", VERSION) == case.journal().tag
