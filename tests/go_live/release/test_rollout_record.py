"""What a rollout found stands in the release's record on the remote, signed, and verifies."""

from pathlib import Path

import msgspec
import pytest

from go_live import config as configuration
from go_live.decide import ItemResult
from go_live.outcome import Outcome, Verdict
from go_live.release import trust as trusts
from go_live.release.run import release_run
from go_live.release.verify import verify_on_remote
from go_live.rollout.recording import CHECKLIST, record
from tests.go_live.release.conftest import ROOT, WHEN, git
from tests.go_live.release.releases import finished_run, new_key, pin, plan_of, settings, signed_by

PASSED = Verdict(claim="traffic moved 10 %, 50 %, 100 %", outcome=Outcome.PASS, reason="each step passed")


@pytest.mark.parametrize("item", ["ROL-1", "ROL-2"])
def test_the_verdict_completes_the_record(root: Path, remote: Path, tmp_path: Path, item: str) -> None:
    """The verdict and its attestation lie in the record, the release still verifies, and once is enough."""
    signers = pin(tmp_path / "signers", signed_by(new_key(tmp_path / "key")))
    config = settings(configuration.load(ROOT / "golive.toml"), signers={"production": signers})
    environment = {"GOLIVE_SIGNING_KEY": str(tmp_path / "key")}
    directory, data = finished_run(root, plan_of(root, config, "production"))
    release_run(data, root, directory, lambda: WHEN, environment=environment)
    (root / CHECKLIST).write_text((ROOT / CHECKLIST).read_text(encoding="utf-8"), encoding="utf-8")

    told = record(root, config, "production", item, PASSED, environment=environment, now=WHEN + 60)
    assert told == f"{item} PASS stands in the record of v1.0-production on origin"
    content = git(remote, "cat-file", "blob", f"releases:v1.0-production/after-tag/{item}.json")
    assert msgspec.json.decode(content, type=ItemResult).verdicts == (PASSED,)
    again = record(root, config, "production", item, PASSED, environment=environment, now=WHEN + 120)
    assert again.endswith("already")
    trust = trusts.load(config, root, profile="production")
    found = verify_on_remote(root, "v1.0-production", trust=trust, remote="origin", records_branch="releases")
    assert found.good, found.reason


def test_without_a_release_nothing_is_recorded(root: Path, tmp_path: Path) -> None:
    """A rollout before its release says what is missing, and changes nothing."""
    signers = pin(tmp_path / "signers", signed_by(new_key(tmp_path / "key")))
    config = settings(configuration.load(ROOT / "golive.toml"), signers={"production": signers})
    told = record(root, config, "production", "ROL-1", PASSED, environment={}, now=WHEN)
    assert told.startswith("ROL-1 is not recorded: origin has no release v1.0-production")
