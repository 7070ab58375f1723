"""Verifying what was pushed: every way in which tag and record can fail to name the validated commit is seen."""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live.config import Config
from go_live.evidence.run_directory import decide_run
from go_live.outcome import Outcome
from go_live.release.git import Git
from go_live.release.metadata import METADATA_NAME, encode, tag_message
from go_live.release.publish import publish
from go_live.release.record import Stamp, record_commit, tag_payload, write_tag
from go_live.release.state import Release
from go_live.release.verify import verify_pushed
from tests.go_live.release.conftest import (
    ENDED,
    FILES,
    PASSED,
    WAIVER,
    WHEN,
    git,
    make_metadata,
    make_plan,
    make_record,
    rehearsal_plan,
    snapshot,
)

VERSION = "v1.0-production"
STAMP = Stamp(who="Rae Lease <rae@example.org>", when=WHEN)

Verify = Callable[[], list[str]]


@pytest.fixture
def verify(root: Path, release: Release, config: Config) -> Verify:
    """A published release, and its verification."""
    message, record = make_record(config, release)
    publish(root, release, message=message, record=record, when=WHEN)
    return lambda: verify_pushed(root, "origin", VERSION, release.commit, "releases")


def record_again(remote: Path, files: dict[str, bytes]) -> None:
    """Replace the record on the remote by another."""
    folder = Git(remote)
    commit = record_commit(folder, base=None, folder=VERSION, files=files, message="other", stamp=STAMP)
    git(remote, "update-ref", "refs/heads/releases", commit)


def tag_again(remote: Path, **changes: Any) -> None:
    """Replace the tag on the remote by another."""
    old = git(remote, "cat-file", "tag", VERSION)
    fields: dict[str, Any] = {"name": VERSION, "commit": git(remote, "rev-parse", f"{VERSION}^{{commit}}")}
    fields |= {"message": old.partition("\n\n")[2], "stamp": STAMP} | changes
    git(remote, "update-ref", f"refs/tags/{VERSION}", write_tag(Git(remote), tag_payload(**fields)))


def test_a_release_verifies_and_nothing_changes(root: Path, verify: Verify) -> None:
    """No problem, and no ref, tag or file is written by looking."""
    before = snapshot(root)
    assert verify() == []
    assert snapshot(root) == before


def test_a_fresh_clone_without_tags_verifies(tmp_path: Path, remote: Path, release: Release, verify: Verify) -> None:
    """The remote is read, not this clone's refs."""
    assert verify() == []
    with tempfile.TemporaryDirectory(dir=tmp_path) as clone:
        git(tmp_path, "clone", "--quiet", "--single-branch", "--no-tags", "--branch=main", remote.as_uri(), clone)
        assert verify_pushed(Path(clone), "origin", VERSION, release.commit, "releases") == []
        assert git(Path(clone), "tag") == ""


@pytest.mark.parametrize("ref", [f"refs/tags/{VERSION}", "refs/heads/releases"])
def test_missing(remote: Path, verify: Verify, ref: str) -> None:
    """Tag or branch deleted on the remote, though this clone still has it."""
    git(remote, "update-ref", "-d", ref)
    assert verify() == [f"origin has no {ref}"]


def test_lightweight_tag(remote: Path, verify: Verify) -> None:
    """A tag without an object of its own carries no evidence."""
    git(remote, "tag", "--force", VERSION, "main")
    assert "not an annotated tag" in verify()[0]


def test_tag_on_another_commit(remote: Path, verify: Verify) -> None:
    """The tag moved to another commit, for instance the one that holds the record."""
    tag_again(remote, commit=git(remote, "rev-parse", "releases"))
    assert "not the validated commit" in verify()[0]


def test_renamed_tag(remote: Path, verify: Verify) -> None:
    """Another version's tag object under this name."""
    tag_again(remote, name="v0.9-production")
    assert "made under another name" in verify()[0]


def test_tag_on_other_evidence(remote: Path, verify: Verify) -> None:
    """A tag whose message quotes another digest."""
    tag_again(remote, message="Production release\n\nEvidence: sha256:" + "0" * 64)
    assert verify() == ["the tag's evidence digest is not that of the record"]


def test_record_whose_digest_is_not_its_evidence(
    remote: Path, config: Config, release: Release, verify: Verify
) -> None:
    """A record that lists the evidence and states the digest of another."""
    document = make_metadata(make_plan(config, release.commit))
    record_again(remote, {**FILES, METADATA_NAME: encode(document | {"evidence_sha256": "0" * 64})})
    assert verify() == ["the tag's evidence digest is not that of the record"]


def test_no_record(remote: Path, verify: Verify) -> None:
    """A record without metadata."""
    record_again(remote, {"report.html": b"x"})
    assert verify() == [f"the record of {VERSION} has no {METADATA_NAME}"]


def test_invalid_metadata(remote: Path, verify: Verify) -> None:
    """Metadata that is no metadata."""
    record_again(remote, {METADATA_NAME: b"{}"})
    assert METADATA_NAME in verify()[0]


def test_record_of_another_commit(remote: Path, config: Config, verify: Verify) -> None:
    """Metadata about another commit."""
    document = make_metadata(make_plan(config, "c" * 40))
    record_again(remote, {**FILES, METADATA_NAME: encode(document)})
    assert verify() == [f"the record of {VERSION} is about {VERSION} at cccccccccccc"]


def test_record_of_a_rehearsal(remote: Path, config: Config, release: Release, verify: Verify) -> None:
    """A rehearsal's metadata under a release's tag, even with the right digest in the tag."""
    document = make_metadata(rehearsal_plan(config, release.commit))
    record_again(remote, {**FILES, METADATA_NAME: encode(document)})
    tag_again(remote, message=tag_message(document))
    assert verify() == [f"the record of {VERSION} is a rehearsal's"]


def test_changed_evidence(remote: Path, config: Config, release: Release, verify: Verify) -> None:
    """A recorded file that is not the one that was judged."""
    _, record = make_record(config, release)
    record_again(remote, record | {"log.jsonl": b"better figures\n"})
    assert verify() == ["recorded log.jsonl is not the file the decision was made on"]


def test_evidence_that_is_not_recorded(remote: Path, config: Config, release: Release, verify: Verify) -> None:
    """A record without a file that its metadata lists cannot be judged again."""
    _, record = make_record(config, release)
    record_again(remote, {name: data for name, data in record.items() if name != "log.jsonl"})
    assert verify() == ["recorded log.jsonl is not the file the decision was made on"]


@pytest.mark.parametrize("change", [lambda packed: packed[:-9], lambda _: gzip.compress(b"better figures\n")])
def test_a_compressed_log(
    remote: Path, config: Config, release: Release, verify: Verify, change: Callable[[bytes], bytes]
) -> None:
    """The log may be recorded compressed: its content counts; a cut or exchanged one is found out."""
    _, record = make_record(config, release)
    packed = gzip.compress(record.pop("log.jsonl"))
    record_again(remote, record | {"log.jsonl.gz": packed})
    assert verify() == []
    record_again(remote, record | {"log.jsonl.gz": change(packed)})
    assert verify() == ["recorded log.jsonl is not the file the decision was made on"]


def test_waivers_that_only_one_of_them_names(remote: Path, config: Config, release: Release, verify: Verify) -> None:
    """A tag that hides a waiver of the record, and a record that hides a waiver of the tag, are found out."""
    plan = make_plan(config, release.commit, waivers=(WAIVER,))
    results = (PASSED[0], msgspec.structs.replace(PASSED[1], outcome=Outcome.FAIL, reason="no answer"))
    waived = make_metadata(plan, results=results, decision=decide_run(plan, results, now=ENDED))
    clean = make_metadata(make_plan(config, release.commit))
    for recorded, tagged, problems in (
        (waived, waived, []),
        (waived, clean, ["the tag names other waivers than the record"]),
        (clean, waived, ["the tag names other waivers than the record"]),
    ):
        record_again(remote, {**FILES, METADATA_NAME: encode(recorded)})
        tag_again(remote, message=tag_message(tagged))
        assert verify() == problems


def test_unreachable(remote: Path, verify: Verify) -> None:
    """A remote that cannot be read is a problem, not a pass."""
    remote.rename(remote.with_name("gone"))
    assert "cannot read the remote origin" in verify()[0]
