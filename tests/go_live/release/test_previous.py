"""The release before: what is gone back to is verified, recorded and authorized, or nothing is released."""

import json
from pathlib import Path

import msgspec
import pytest

from go_live.config import Config
from go_live.errors import ReleaseIncompleteError
from go_live.evidence import dsse
from go_live.evidence.run_directory import RunData
from go_live.outcome import Outcome
from go_live.release import trust as trusts
from go_live.release.attest import AUTHORIZATION, CHECK, RESULT
from go_live.release.git import GitError
from go_live.release.metadata import METADATA_NAME
from go_live.release.previous import previous_of, recorded_versions, verify_target
from go_live.release.run import release_run
from go_live.release.verify import verify
from tests.go_live.release.conftest import WHEN, commit, git
from tests.go_live.release.releases import IMAGE, finished_run, new_key, pin, plan_of, settings, signed_by

FIRST, SECOND = "v1.0-production", "v1.1-production"


@pytest.fixture
def pinned(root: Path, config: Config) -> Config:
    """Production is signed by a key that is pinned."""
    key = new_key(root.parent / "key")
    return settings(config, signers={"production": pin(root.parent / "signers", signed_by(key))})


def release(root: Path, config: Config, version: str, previous: str | None, **changes: object) -> RunData:
    """Release HEAD of ``root`` as ``version``."""
    named = msgspec.structs.replace(config.release, version=version, first_release=previous is None, previous=previous)
    plan = plan_of(root, msgspec.structs.replace(config, release=named), "production", run_id=f"run-{version}")
    directory, data = finished_run(root, msgspec.structs.replace(plan, **changes))
    release_run(data, root, directory, lambda: WHEN, environment={"GOLIVE_SIGNING_KEY": str(root.parent / "key")})
    return data


def test_the_second_release_knows_the_first(root: Path, remote: Path, pinned: Config) -> None:
    """Metadata and authorization name the verified target; both releases verify beside each other."""
    old = git(root, "rev-parse", "HEAD")
    release(root, pinned, FIRST, None)
    assert recorded_versions(root, pinned) == [FIRST]
    commit(root, "worker.py", "print('better')\n")
    git(root, "push", "--quiet", "origin", "main")
    release(root, pinned, SECOND, FIRST)
    target = {"version": FIRST, "git_commit": old, "image": IMAGE}
    document = json.loads(git(remote, "show", f"releases:{SECOND}/{METADATA_NAME}"))
    assert (document["first_release"], document["previous_release"]) == (False, target)
    trust = trusts.load(pinned, root)
    (signer,) = trust.signers
    envelope = git(remote, "show", f"releases:{SECOND}/{AUTHORIZATION}").encode()
    raw = trusts.ed25519_raw(signer.key)
    assert raw is not None
    allowed = json.loads(dsse.unseal(envelope, {signer.fingerprint: raw}).payload)
    assert allowed["predicate"]["rollbackTarget"] == target
    assert recorded_versions(root, pinned) == [FIRST, SECOND]
    for version in (FIRST, SECOND):
        found = verify(root, version, trust=trust, remote="origin", records_branch="releases")
        assert found.outcome is Outcome.PASS, found.reason


def test_a_target_that_was_moved(root: Path, remote: Path, pinned: Config) -> None:
    """The target's tag was moved on the remote since: no release, exit 5, and the reason is the target's."""
    release(root, pinned, FIRST, None)
    git(remote, "tag", "--force", FIRST, "main~1")
    with pytest.raises(ReleaseIncompleteError, match=r"rollback target v1\.0-production .*not an annotated tag"):
        release(root, pinned, SECOND, FIRST)
    assert git(remote, "tag") == FIRST


def test_no_such_target(root: Path, remote: Path, pinned: Config) -> None:
    """A target that nobody ever released fails; a remote that cannot be read shows nothing either way."""
    found = verify_target(root, pinned, "v0.9", profile="production")
    assert (found.outcome, found.reason) == (Outcome.FAIL, "origin has no tag v0.9")
    assert recorded_versions(root, pinned) == []
    remote.rename(remote.with_name("gone"))
    with pytest.raises(GitError, match="cannot read the remote"):
        verify_target(root, pinned, "v0.9", profile="production")
    named = msgspec.structs.replace(pinned.release, first_release=False, previous="v0.9")
    plan = plan_of(root, msgspec.structs.replace(pinned, release=named), "production")
    with pytest.raises(ReleaseIncompleteError, match=r"v0\.9 cannot be verified"):
        previous_of(plan, root)


def test_a_rehearsal_signs_with_a_key_of_its_own(root: Path, remote: Path, pinned: Config) -> None:
    """No key has to be set up: the run's own signs, its public part is kept, its private part nowhere."""
    there = git(remote, "for-each-ref")
    directory, data = finished_run(root, plan_of(root, pinned, "rehearsal"), facts={})
    release_run(data, root, directory, lambda: WHEN, environment={})
    (signer,) = trusts.parse((directory / "rehearsal_signers").read_text(), name="rehearsal_signers")
    assert json.loads((directory / METADATA_NAME).read_text())["signing_key"] == signer.fingerprint
    raw = trusts.ed25519_raw(signer.key)
    assert raw is not None
    kinds = []
    for name in (RESULT, CHECK):
        payload = dsse.unseal((directory / name).read_bytes(), {signer.fingerprint: raw}).payload
        kinds.append(json.loads(payload)["predicateType"].rsplit("/", 2)[-2])
    assert kinds == ["test-result", "rehearsal-check"]
    assert not (directory / AUTHORIZATION).exists()
    assert not [path for path in directory.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert git(remote, "for-each-ref") == there
    again, more = finished_run(root, plan_of(root, pinned, "rehearsal", run_id="another"), facts={})
    release_run(more, root, again, lambda: WHEN, environment={})
    assert (again / "rehearsal_signers").read_text() != (directory / "rehearsal_signers").read_text()
