"""What is answered after the push: a real verdict in the record, and exit 5 where the release is not as validated."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from go_live import config as configuration
from go_live.after_tag import AFTER_TAG, AfterTag, ask_after
from go_live.checklist import Item
from go_live.config import Config
from go_live.decide import ItemResult
from go_live.errors import ExitCode, ReleaseIncompleteError
from go_live.evidence.run_directory import RunData
from go_live.load.progress import Progress
from go_live.outcome import Outcome, Verdict
from go_live.release.run import release_run
from tests.go_live.release.conftest import ROOT, WHEN, git
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, settings, signed_by

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVED = Item(
    id="REL-4",
    family="release",
    claim="After the push the platform still serves the validated build",
    phase="after-tag",
    required_by=("production",),
    evidence_days=1,
)
WATCHED = msgspec.structs.replace(SERVED, id="ROL-2", claim="24 hours of watch passed within the limits")


def result(outcome: Outcome, reason: str = "w1 runs an older one") -> ItemResult:
    """A result of REL-4."""
    verdict = Verdict(claim=SERVED.claim, outcome=outcome, reason=reason)
    return ItemResult(item="REL-4", outcome=outcome, reason=reason, verdicts=(verdict,), concluded_at=WHEN)


@pytest.fixture
def ours(tmp_path: Path) -> Config:
    """The shipped configuration with a pinned key of this test."""
    signers = pin(tmp_path / "signers", signed_by(new_key(tmp_path / "key")))
    return settings(configuration.load(ROOT / "golive.toml"), signers={"production": signers})


def finished(root: Path, config: Config, **changes: Any) -> tuple[Path, RunData]:
    """A production run that ended in GO; its checklist has REL-4."""
    plan = plan_of(root, config, "production")
    return finished_run(root, msgspec.structs.replace(plan, items=(*plan.items, SERVED, WATCHED), **changes))


def release(root: Path, key: Path, run: tuple[Path, RunData], *results: ItemResult) -> list[str]:
    """Release a run; after the push these results are found."""
    said: Sequence[ItemResult] = results
    environment = {"GOLIVE_SIGNING_KEY": str(key)}
    return release_run(run[1], root, run[0], lambda: WHEN, environment=environment, after=lambda: said)


def recorded(remote: Path) -> ItemResult:
    """REL-4 as the remote's record has it."""
    content = git(remote, "cat-file", "blob", "releases:v1.0-production/after-tag/REL-4.json")
    return msgspec.json.decode(content, type=ItemResult)


def test_a_pass_completes_the_record(root: Path, remote: Path, ours: Config, tmp_path: Path) -> None:
    """The verdict and its attestation lie in the record on the remote, and the release says so."""
    lines = release(root, tmp_path / "key", finished(root, ours), result(Outcome.PASS, "2 of 2 workers"))
    assert "REL-4 PASS: 2 of 2 workers" in lines
    assert recorded(remote).outcome is Outcome.PASS
    assert git(remote, "cat-file", "-t", "releases:v1.0-production/after-tag/REL-4.intoto.json") == "blob"


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_RUN])
def test_what_is_not_shown_is_not_released_as_validated(
    root: Path, remote: Path, ours: Config, tmp_path: Path, outcome: Outcome
) -> None:
    """Exit 5, and the line says that the tag is out; the record holds what was found."""
    with pytest.raises(ReleaseIncompleteError, match=f"is pushed, but REL-4 is {outcome.name}: w1 runs") as caught:
        release(root, tmp_path / "key", finished(root, ours), result(outcome))
    assert caught.value.exit_code is ExitCode.NOT_RELEASED
    assert recorded(remote).outcome is outcome
    assert git(remote, "tag") == "v1.0-production"


CHECK = """
from go_live.pytest_plugin import item
from go_live.outcome import Outcome, Verdict

@item("REL-4")
def test_served(gate, verdict):
    "It is served"
    gate.fact({{"probe": {{"commit": "abc"}}}})
    {body}
"""


def checks(root: Path, body: str) -> None:
    """A folder of checks with one of REL-4."""
    (root / "checks").mkdir()
    (root / "checks" / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n")
    # A name of its own: this process keeps the modules that it has imported.
    (root / "checks" / f"test_after_{root.parent.name}.py").write_text(CHECK.format(body=body))


BODIES = {
    'verdict(Verdict(claim="c", outcome=Outcome.PASS, reason="2 of 2"))': Outcome.PASS,
    'verdict(Verdict(claim="c", outcome=Outcome.FAIL, reason="stale"))': Outcome.FAIL,
    "raise OSError": Outcome.ERROR,
    "raise KeyboardInterrupt": Outcome.NOT_RUN,
    "pass": Outcome.ERROR,
}


@pytest.mark.parametrize("body", BODIES)
def test_the_check_is_asked_after_the_push(root: Path, ours: Config, body: str) -> None:
    """Each way in which the check can end is a result; an interrupt too, because the tag is out already."""
    checks(root, body)
    directory, data = finished(root, ours)
    log = (directory / "log.jsonl").read_bytes()
    found = ask_after(data, root, directory, Progress(), now=lambda: WHEN)
    assert [(one.item, one.outcome, one.concluded_at) for one in found] == [("REL-4", BODIES[body], WHEN)]
    kept = msgspec.json.decode((directory / AFTER_TAG).read_bytes(), type=AfterTag)
    assert kept.items == found
    assert kept.facts == ({"probe": {"commit": "abc"}},)
    assert (directory / "log.jsonl").read_bytes() == log


def test_checks_that_cannot_be_collected_are_an_error(root: Path, ours: Config) -> None:
    """A module that cannot be read is no pass, whatever another said."""
    checks(root, "pass")
    (root / "checks" / "test_more.py").write_text("import nothing_of_that_name")
    found = ask_after(*_args(root, finished(root, ours)))
    assert [(one.item, one.outcome) for one in found] == [("REL-4", Outcome.ERROR)]


def test_a_local_endpoint_is_rebuilt_by_nobody(root: Path, ours: Config) -> None:
    """Nothing is asked of a local target."""
    checks(root, "pass")
    directory, data = finished(root, ours)
    local = msgspec.structs.replace(data.plan, target=msgspec.structs.replace(data.plan.target, kind="local"))
    assert ask_after(msgspec.structs.replace(data, plan=local), root, directory, Progress()) == ()
    assert not (directory / AFTER_TAG).exists()


def _args(root: Path, run: tuple[Path, RunData]) -> tuple[RunData, Path, Path, Progress]:
    return run[1], root, run[0], Progress()
