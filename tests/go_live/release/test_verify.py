"""Verifying a release in a fresh clone: each forgery is refused for its own reason, by the step that has to see it."""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live import config as configuration
from go_live.config import Config
from go_live.decide import ItemResult
from go_live.errors import ExitCode, UsageError
from go_live.outcome import Outcome
from go_live.release import trust as trusts
from go_live.release.after import after_files
from go_live.release.attest import AUTHORIZATION, CHECK, RESULT
from go_live.release.found import SUMS, sums
from go_live.release.git import Git
from go_live.release.metadata import METADATA_NAME, tag_message
from go_live.release.record import Stamp, record_commit, tag_payload, write_tag
from go_live.release.run import release_run
from go_live.release.signing import Key, make_tag
from go_live.release.verification import Verification
from go_live.release.verify import verify, verify_on_remote
from tests.go_live.release.conftest import HERMETIC, ROOT, WHEN, git, snapshot
from tests.go_live.release.releases import START, finished_run, new_key, pin, plan_of, settings, signed_by

VERSION = "v1.0-production"
RECORDS = "refs/remotes/origin/releases"
TAGGER = "Rae Lease <rae@example.org>"
DAY = 86_400


class World(msgspec.Struct):
    """A release, a fresh clone that has it, and the means to forge another."""

    folder: Path
    clone: Path
    remote: Path
    config: Config
    key: Key

    def trust(self, line: str = "") -> trusts.Trust:
        """The production trust root, or one that pins ``line`` alone."""
        return trusts.load(self.config, self.folder, file=pin(self.folder / "other", line) if line else None)

    def verify(self, trust: trusts.Trust | None = None, version: str = VERSION) -> Verification:
        """Verify in the clone."""
        return verify(self.clone, version, trust=trust or self.trust(), remote="origin", records_branch="releases")

    def refused(self, trust: trusts.Trust | None = None, version: str = VERSION) -> dict[str, str]:
        """The reasons of the steps that FAIL, by step; the verdict as a whole is FAIL for the first of them."""
        found = self.verify(trust, version)
        reasons = {step.name: step.reason for step in found.steps if step.outcome is Outcome.FAIL}
        assert found.outcome is Outcome.FAIL, found
        assert found.exit_code is ExitCode.NO_GO
        assert found.reason == next(iter(reasons.values()))
        return {str(name): reason for name, reason in reasons.items()}

    def files(self) -> dict[str, bytes]:
        """The record, but for what was added after the tag."""
        return {name: data for name, data in self.all_files().items() if not name.startswith("after-tag/")}

    def all_files(self) -> dict[str, bytes]:
        """The record."""
        names = git(self.clone, "ls-tree", "-r", "--name-only", f"{RECORDS}:{VERSION}").split()
        return {name: Git(self.clone).raw("cat-file", "blob", f"{RECORDS}:{VERSION}/{name}") for name in names}

    def record(self, changes: Mapping[str, bytes | None], *, sum_up: bool = True) -> str:
        """Put another record in place of the clone's; returns the digest that a tag would quote."""
        files = {name: data for name, data in {**self.files(), **changes}.items() if data is not None}
        if sum_up:
            files[SUMS] = sums(files)
        stamp = Stamp(who=TAGGER, when=WHEN)
        commit = record_commit(Git(self.clone), base=None, folder=VERSION, files=files, message="x", stamp=stamp)
        git(self.clone, "update-ref", RECORDS, commit)
        return hashlib.sha256(files[SUMS]).hexdigest() if SUMS in files else ""

    def tag(self, *, key: Key | None = None, **changes: Any) -> None:
        """Put another tag in place of the clone's, signed by ``key``; what is not changed stays as it was."""
        old = git(self.clone, "cat-file", "tag", VERSION)
        message = old.partition("\n\n")[2].partition("-----BEGIN")[0]
        fields: dict[str, Any] = {"name": VERSION, "commit": git(self.clone, "rev-parse", f"{VERSION}^{{commit}}")}
        fields |= {"message": message, "who": TAGGER, "when": WHEN} | changes
        stamp = Stamp(who=fields.pop("who"), when=fields.pop("when"))
        raw = Git(self.clone)
        if key is None:
            made = write_tag(raw, tag_payload(**fields, stamp=stamp))
        else:
            made = make_tag(raw, self.config.signing, key, **fields, stamp=stamp)
        git(self.clone, "update-ref", f"refs/tags/{VERSION}", made)

    def quoting(self, record: str) -> str:
        """The tag's message, quoting another record."""
        old = git(self.clone, "cat-file", "tag", VERSION).partition("\n\n")[2].partition("-----BEGIN")[0]
        kept = [line for line in old.splitlines() if not line.startswith("Record: ")]
        return "\n".join([*kept, f"Record: sha256:{record}"])

    def forge(self, changes: Mapping[str, bytes | None]) -> None:
        """Another record, and a tag by the right key that quotes it: only what is inside can show it now."""
        self.tag(key=self.key, message=self.quoting(self.record(changes)))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Path:
    """One signed production release and its key, made once."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in HERMETIC.items():
            patch.setenv(name, value)
        for name in ("project", "remote.git"):
            shutil.copytree(template / name, folder / name)
        root = folder / "project"
        git(root, "remote", "set-url", "origin", (folder / "remote.git").as_uri())
        git(root, "status")
        key = new_key(folder / "key")
        shipped = configuration.load(ROOT / "golive.toml")
        config = settings(shipped, signers={"production": pin(folder / "signers", signed_by(key))})
        directory, data = finished_run(root, plan_of(root, config, "production"))
        release_run(data, root, directory, lambda: WHEN, environment={"GOLIVE_SIGNING_KEY": str(key.path)})
        git(folder, "clone", "--quiet", (folder / "remote.git").as_uri(), "clone")
        (folder / "config.json").write_bytes(msgspec.json.encode(config))
    return folder


@pytest.fixture
def world(tmp_path: Path, once: Path) -> World:
    """A copy of the clone, to be forged in."""
    clone = Path(shutil.copytree(once / "clone", tmp_path / "clone"))
    key = Key(path=once / "key", private=_load(once / "key"))
    config = msgspec.json.decode((once / "config.json").read_bytes(), type=Config)
    return World(folder=tmp_path, clone=clone, remote=once / "remote.git", config=config, key=key)


def _load(path: Path) -> Any:
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key  # noqa: PLC0415 - once

    return load_ssh_private_key(path.read_bytes(), password=None)


class TestGood:
    """A release that is what it says."""

    def test_in_a_fresh_clone(self, world: World) -> None:
        """Every step passes, the answer names decision, commit and key, and looking changes nothing."""
        before = snapshot(world.clone)
        found = world.verify()
        assert [step.outcome for step in found.steps] == [Outcome.PASS] * 9
        assert (found.outcome, found.exit_code, found.good) == (Outcome.PASS, ExitCode.GO, True)
        assert found.key == world.key.fingerprint
        assert found.commit == git(world.clone, "rev-parse", "main")
        assert found.reason.startswith(f"GO of 2025-11-23T12:13:20Z on {found.commit[:12]}, signed by SHA256:")
        assert found.metadata is not None
        assert found.metadata["endpoint_config"] == {"workers_min": 2, "workers_max": 5}
        assert snapshot(world.clone) == before

    def test_on_the_remote(self, world: World) -> None:
        """The remote's own refs are read, whatever the clone's say, and none is updated."""
        git(world.clone, "update-ref", "-d", f"refs/tags/{VERSION}")
        git(world.clone, "update-ref", "-d", RECORDS)
        before = snapshot(world.clone)
        found = verify_on_remote(world.clone, VERSION, trust=world.trust(), remote="origin", records_branch="releases")
        assert found.outcome is Outcome.PASS, found.reason
        assert snapshot(world.clone) == before

    def test_years_later(self, world: World) -> None:
        """A key that has expired since still counts: it was valid when the evidence was gathered."""
        ended = world.trust(signed_by(world.key, valid_after="20251101Z", valid_before="20251201Z"))
        assert world.verify(ended).outcome is Outcome.PASS

    def test_with_another_key_in_golive_toml_than_the_plan_knew(self, world: World) -> None:
        """Of the recorded plan only what decides is read: other settings of later versions do not matter."""
        plan = json.loads(world.files()["plan.json"])
        plan["config"]["brand_new"] = {"x": 1}
        del plan["config"]["soak"]
        world.record({"plan.json": json.dumps(plan).encode()})
        found = {step.name: step.outcome for step in world.verify().steps}
        assert found["decision"] is Outcome.PASS


class TestMissing:
    """What is not here is not refused: it may only not have been fetched. Exit 4."""

    def test_no_tag(self, world: World) -> None:
        """A name that no tag has."""
        found = world.verify(version="v9")
        assert (found.outcome, found.exit_code) == (Outcome.ERROR, ExitCode.NOT_MEASURED)
        assert found.reason.startswith("there is no tag v9 here")

    def test_no_records_branch(self, world: World) -> None:
        """A clone of one branch."""
        git(world.clone, "update-ref", "-d", RECORDS)
        found = world.verify()
        assert found.outcome is Outcome.ERROR
        assert "there is no refs/remotes/origin/releases" in found.reason

    def test_missing_on_the_remote(self, world: World) -> None:
        """What the remote itself lacks is not there: refused, even though the clone has it."""
        found = verify_on_remote(world.clone, "v9", trust=world.trust(), remote="origin", records_branch="releases")
        assert (found.outcome, found.reason) == (Outcome.FAIL, "origin has no tag v9")

    def test_not_a_name(self, world: World) -> None:
        """What no tag can be called is a usage error."""
        with pytest.raises(UsageError, match="cannot be the name of a tag"):
            world.verify(version="v1..0")


class TestTag:
    """The tag itself."""

    def test_lightweight(self, world: World) -> None:
        """A ref to the commit carries neither name nor signature."""
        git(world.clone, "tag", "--force", VERSION, "main")
        assert "not an annotated tag" in world.refused()["tag"]

    def test_moved_ref(self, world: World) -> None:
        """Another version's ref that was moved onto this tag object, which git calls good."""
        git(world.clone, "update-ref", "refs/tags/v2.0-production", f"refs/tags/{VERSION}")
        assert (
            "made as v1.0-production: the ref was moved or renamed" in world.refused(version="v2.0-production")["tag"]
        )

    def test_renamed_tag_object(self, world: World) -> None:
        """Another version's tag object, signed by the right key, under this ref."""
        world.tag(key=world.key, name="v0.9-production")
        assert "was made as v0.9-production" in world.refused()["tag"]

    def test_moved_to_another_commit(self, world: World) -> None:
        """The right key tagged another commit than the one that was validated."""
        world.tag(key=world.key, commit=git(world.clone, "rev-parse", "main~1"))
        refused = world.refused()
        assert "tag" not in refused
        assert "the tag was moved" in refused["metadata"]

    def test_tag_of_a_tag(self, world: World) -> None:
        """A tag that names a tree has nothing that could be checked out."""
        git(world.clone, "tag", "--force", "--annotate", "--message=x", VERSION, "main^{tree}")
        assert "tags a tree" in world.refused()["tag"]


class TestSignature:
    """Who signed, for whom, and when."""

    def test_unsigned_where_it_is_required(self, world: World) -> None:
        """Production demands a signature."""
        world.tag()
        assert world.refused()["signature"] == f"the tag {VERSION} is not signed"

    def test_by_a_key_that_nobody_pinned(self, world: World) -> None:
        """A good signature by a stranger."""
        stranger = new_key(world.folder / "stranger")
        world.tag(key=stranger)
        assert world.refused()["signature"] == (
            f"the tag is signed by {stranger.fingerprint}, which is not pinned in signers"
        )

    def test_nobody_is_pinned(self, world: World) -> None:
        """The file as it is shipped pins nobody, and nothing verifies."""
        shipped = trusts.load(world.config, world.folder, file=ROOT / "release_signers")
        assert "not pinned in release_signers" in world.refused(shipped)["signature"]

    def test_edited_after_it_was_signed(self, world: World) -> None:
        """Another text under the old signature."""
        content = Git(world.clone).raw("cat-file", "tag", VERSION).replace(b"2.8 s exec", b"1.8 s exec")
        git(world.clone, "update-ref", f"refs/tags/{VERSION}", write_tag(Git(world.clone), content))
        assert "not what was signed" in world.refused()["signature"]

    def test_expired_key(self, world: World) -> None:
        """A key that had expired before the evidence was gathered."""
        trust = world.trust(signed_by(world.key, valid_before="20251122Z"))
        reason = world.refused(trust)["signature"]
        assert "was valid until 2025-11-22T00:00:00Z only, and its evidence is of 2025-11-23T12:03:20Z" in reason
        assert "dated back" not in reason

    def test_expired_key_and_a_tag_that_is_dated_back(self, world: World) -> None:
        """The tagger's date is before the key's end, which git believes: the evidence's time decides."""
        trust = world.trust(signed_by(world.key, valid_before="20251122Z"))
        world.tag(key=world.key, when=WHEN - 3 * DAY)
        git(world.clone, "config", "gpg.ssh.allowedSignersFile", str(world.folder / "other"))
        git(world.clone, "verify-tag", VERSION)  # git is content
        refused = world.refused(trust)
        assert "and the tag is dated back to 2025-11-20T12:13:20Z" in refused["signature"]
        assert "was valid until 2025-11-22T00:00:00Z only" in refused["attestations"]

    def test_key_that_is_not_valid_yet(self, world: World) -> None:
        """A key that was pinned for later."""
        assert "is valid from" in world.refused(world.trust(signed_by(world.key, valid_after="20251201Z")))["signature"]

    def test_key_for_other_things(self, world: World) -> None:
        """A key that is pinned for attestations alone signs no tag."""
        line = trusts.line("rae@example.org", world.key.blob, "golive")
        refused = world.refused(world.trust(line))
        assert "is pinned for golive, not for git" in refused["signature"]
        assert "attestations" not in refused

    def test_in_somebody_elses_name(self, world: World) -> None:
        """A pinned key that signs for others than the tagger, whom git does not compare."""
        trust = world.trust(signed_by(world.key, principal="ada@example.org"))
        assert "signs for ada@example.org, not for the tagger rae@example.org" in world.refused(trust)["signature"]

    def test_principals_are_patterns(self, world: World) -> None:
        """A pipeline's key may sign for everybody of a domain."""
        assert world.verify(world.trust(signed_by(world.key, principal="*@example.org"))).outcome is Outcome.PASS

    def test_revoked(self, world: World) -> None:
        """A key in git's own list of revoked keys counts no longer."""
        public = " ".join(signed_by(world.key).split()[2:])
        git(world.clone, "config", "gpg.ssh.revocationFile", str(pin(world.folder / "revoked", public)))
        assert "revoked keys" in world.refused()["signature"]

    def test_malformed(self, world: World) -> None:
        """A signature that is none."""
        content = Git(world.clone).raw("cat-file", "tag", VERSION).replace(b"U1NIU0lH", b"AAAAAAAA")
        git(world.clone, "update-ref", f"refs/tags/{VERSION}", write_tag(Git(world.clone), content))
        assert world.refused()["signature"] == "the tag's signature is malformed"


Change = Callable[[bytes], bytes]


class TestRecord:
    """The record, bound to the tag."""

    @pytest.mark.parametrize("name", ["report.html", METADATA_NAME, "log.jsonl.gz", "verify.py", RESULT])
    def test_swapped_file(self, world: World, name: str) -> None:
        """Any file of the record that is another one is named."""
        world.record({name: b"better"}, sum_up=False)
        assert f"{name} is not the file that was recorded" in world.refused()["record"]

    @pytest.mark.parametrize("name", ["report.html", METADATA_NAME])
    def test_swapped_file_with_its_digest(self, world: World, name: str) -> None:
        """The list of digests was adapted, too: the tag quotes another list."""
        world.record({name: world.files()[name].replace(b"2788", b"1788") + b" "})
        assert "the tag quotes another record" in world.refused()["record"]

    def test_missing_file(self, world: World) -> None:
        """A record cannot lose a file."""
        world.record({"report.html": None}, sum_up=False)
        assert world.refused()["record"] == "the record lacks report.html"

    def test_added_file(self, world: World) -> None:
        """Nor gain one."""
        world.record({"extra.txt": b"x"}, sum_up=False)
        assert "extra.txt was added to the record" in world.refused()["record"]

    def test_no_list(self, world: World) -> None:
        """A record without its list of digests."""
        world.record({SUMS: None}, sum_up=False)
        assert world.refused()["record"].startswith(f"the record has no {SUMS}")

    def test_no_record(self, world: World) -> None:
        """A branch that holds other versions only."""
        other = git(world.clone, "commit-tree", "main^{tree}", "-m", "x")
        git(world.clone, "update-ref", RECORDS, other)
        assert world.refused()["record"] == f"{other[:12]} holds no record of {VERSION}"


class TestMetadata:
    """Metadata, tag, commit and evidence; the tag is by the right key and quotes the forged record."""

    def edited(self, world: World, **changes: Any) -> dict[str, str]:
        """What is refused when the metadata is edited, summed up and tagged again by the right key."""
        document = json.loads(world.files()[METADATA_NAME]) | changes
        world.forge({METADATA_NAME: json.dumps(document).encode()})
        refused = world.refused()
        assert not {"tag", "signature", "record"} & set(refused)
        return refused

    def test_not_valid(self, world: World) -> None:
        """The schema is kept."""
        assert "$.deployed_at" in self.edited(world, deployed_at="yesterday")["metadata"]

    def test_figures(self, world: World) -> None:
        """A figure that was made better: valid, quoted by the tag, and not what was attested."""
        document = json.loads(world.files()[METADATA_NAME])
        better = document["performance"] | {"exec_ms_p50": 1.0}
        assert f"about another {METADATA_NAME}" in self.edited(world, performance=better)["attestations"]

    def test_another_version(self, world: World) -> None:
        """Metadata of another release."""
        assert "is about v0.9, not about" in self.edited(world, version="v0.9")["metadata"]

    def test_another_tree(self, world: World) -> None:
        """The tree has to be the commit's."""
        assert "names the tree bbbbbbbbbbbb" in self.edited(world, git_tree="b" * 40)["metadata"]

    def test_another_run(self, world: World) -> None:
        """The tag quotes the run."""
        assert "does not quote the run other" in self.edited(world, run_id="other")["metadata"]

    def test_another_image(self, world: World) -> None:
        """The image is the one that the probe named in the log."""
        refused = self.edited(world, image="x@sha256:" + "cd" * 32)
        assert "names the image x@sha256:cd" in refused["log"]

    def test_other_evidence(self, world: World) -> None:
        """Evidence whose digest the tag does not quote."""
        document = json.loads(world.files()[METADATA_NAME])
        refused = self.edited(world, evidence=document["evidence"] | {"log.jsonl": "0" * 64})
        assert "digest of the evidence" in refused["metadata"]

    def test_a_hidden_waiver(self, world: World) -> None:
        """A tag that names a waiver of which the metadata knows nothing."""
        digest = world.files()[SUMS]
        message = world.quoting(hashlib.sha256(digest).hexdigest())
        world.tag(key=world.key, message=message + "\nWaived: SMK-1 (fail), owner A, approved by B (C), until D: E")
        assert "names other waivers" in world.refused()["metadata"]


class TestEvidence:
    """Log, verdicts and decision, under a tag by the right key that quotes them."""

    def test_edited_verdicts(self, world: World) -> None:
        """A verdict that is not good enough for the decision."""
        verdicts = json.loads(world.files()["verdicts.json"])
        verdicts["items"][1]["outcome"] = "fail"
        world.forge({"verdicts.json": json.dumps(verdicts).encode()})
        refused = world.refused()
        assert "from its verdicts follows NO-GO: SMK-1 is FAIL" in refused["decision"]
        assert "verdicts.json is not the evidence" in refused["metadata"]
        assert "other outcomes than the recorded verdicts" in refused["attestations"]

    def test_expired_verdicts(self, world: World) -> None:
        """A verdict that was too old when the decision was made."""
        verdicts = json.loads(world.files()["verdicts.json"])
        verdicts["items"][0]["concluded_at"] -= 8 * DAY
        world.forge({"verdicts.json": json.dumps(verdicts).encode()})
        assert "expired" in world.refused()["decision"]

    def test_a_plan_that_asks_less(self, world: World) -> None:
        """Items that the checklist demands cannot be left out of what is required."""
        plan = json.loads(world.files()["plan.json"])
        plan["required"] = ["PERF-3"]
        world.forge({"plan.json": json.dumps(plan).encode()})
        refused = world.refused()
        assert "does not require what its checklist demands" in refused["decision"]
        assert "begun with another plan" in refused["log"]

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda lines: lines[:-1], "does not end with the end of the run"),
            (lambda lines: [*lines[:3], *lines[4:]], "the chain is broken"),
            (lambda lines: [*lines[:3], lines[3].replace(b"3.453", b"1.453"), *lines[4:]], "the chain is broken"),
            (lambda _: [b"nonsense\n"], "not a log entry"),
        ],
    )
    def test_log(self, world: World, change: Callable[[list[bytes]], list[bytes]], told: str) -> None:
        """A log that was cut, edited or exchanged."""
        lines = gzip.decompress(world.files()["log.jsonl.gz"]).splitlines(keepends=True)
        world.forge({"log.jsonl.gz": gzip.compress(b"".join(change(lines)))})
        refused = world.refused()
        assert told in refused["log"]
        assert "log.jsonl is not the evidence" in refused["metadata"]

    def test_a_log_about_something_else(self, world: World) -> None:
        """A chain that holds, of requests to a worker that served another commit."""
        lines = gzip.decompress(world.files()["log.jsonl.gz"]).splitlines(keepends=True)
        lines[1] = lines[1].replace(git(world.clone, "rev-parse", "main").encode(), b"c" * 40)
        head = "0" * 64
        for number, line in enumerate(lines):
            lines[number] = json.dumps(json.loads(line) | {"prev": head}).encode() + b"\n"
            head = hashlib.sha256(lines[number][:-1]).hexdigest()
        world.forge({"log.jsonl.gz": gzip.compress(b"".join(lines))})
        assert "about something else: the endpoint served commit cccccccccccc" in world.refused()["log"]

    def test_a_log_that_cannot_be_unpacked(self, world: World) -> None:
        """Compressed, and cut."""
        world.forge({"log.jsonl.gz": world.files()["log.jsonl.gz"][:-9]})
        assert "cannot be unpacked" in world.refused()["log"]

    @pytest.mark.parametrize("name", ["plan.json", "verdicts.json", "decision.json"])
    def test_a_part_that_is_missing(self, world: World, name: str) -> None:
        """Nothing can be decided from a part of the evidence."""
        world.forge({name: None})
        assert f"the record has no {name}" in world.refused()["decision"]

    def test_a_no_go(self, world: World) -> None:
        """A decision that is honest, and no GO, cannot be released on."""
        files = world.files()
        verdicts, decision = json.loads(files["verdicts.json"]), json.loads(files["decision.json"])
        verdicts["items"][1] |= {"outcome": "fail", "reason": "no"}
        decision |= {"answer": "NO-GO", "exit_code": 1, "satisfied": 1, "reason": "SMK-1 is FAIL: no"}
        decision["blocking"] = [{"item": "SMK-1", "outcome": "fail", "reason": "no"}]
        world.forge({"verdicts.json": json.dumps(verdicts).encode(), "decision.json": json.dumps(decision).encode()})
        assert "the decision is NO-GO, and nothing may be released on it" in world.refused()["decision"]


class TestAttestations:
    """Signed by keys of this profile, about this release; the tag is by the right key and quotes the record."""

    @pytest.mark.parametrize("name", [RESULT, CHECK, AUTHORIZATION])
    def test_missing(self, world: World, name: str) -> None:
        """Each of the three is needed."""
        world.forge({name: None})
        assert f"{name}: the record has no such attestation" in world.refused()["attestations"]

    def test_swapped(self, world: World) -> None:
        """One statement in another's place is of another type."""
        world.forge({CHECK: world.files()[RESULT]})
        assert "the statement's predicate is" in world.refused()["attestations"]

    def test_authorization_that_was_over(self, world: World) -> None:
        """A tag that was made after the evidence had expired."""
        world.tag(key=world.key, when=WHEN + 8 * DAY)
        refused = world.refused()
        assert list(refused) == ["authorization", "after-tag"]  # what was added is about the old tag object
        assert "the release was authorized from 2025-11-23T12:13:20Z to 2025-11-24" in refused["authorization"]

    @pytest.mark.parametrize("profile", ["test", "rehearsal"])
    def test_evidence_of_another_profile(self, world: World, once: Path, profile: configuration.ProfileName) -> None:
        """A test's or a rehearsal's evidence under a production tag by the right key: refused by key, not by a word."""
        key = new_key(world.folder / "other-key")
        config = settings(world.config, signers={"test": pin(world.folder / "test-signers", signed_by(key))})
        root = Path(shutil.copytree(once / "project", world.folder / "project"))
        for ref in (f"refs/tags/{VERSION}", "refs/heads/releases"):
            git(root, "update-ref", "-d", ref)
        remote = world.folder / "remote.git"
        git(world.folder, "clone", "--quiet", "--bare", str(root), str(remote))
        git(root, "remote", "set-url", "origin", remote.as_uri())
        directory, data = finished_run(root, plan_of(root, config, profile), facts={})
        release_run(data, root, directory, lambda: WHEN, environment={"GOLIVE_SIGNING_KEY": str(key.path)})
        names = set(world.files()) & {path.name for path in directory.iterdir()}
        files: dict[str, bytes | None] = {name: (directory / name).read_bytes() for name in names}
        if profile == "test":
            git(world.clone, "fetch", "--quiet", remote.as_uri(), "releases")
            for name in (RESULT, CHECK, AUTHORIZATION):
                files[name] = Git(world.clone).raw("cat-file", "blob", f"FETCH_HEAD:{VERSION}/{name}")
        files["log.jsonl.gz"] = gzip.compress((directory / "log.jsonl").read_bytes())
        message = tag_message(json.loads(files[METADATA_NAME] or b""), record=world.record(files))
        world.tag(key=world.key, message=message)
        refused = world.refused()
        assert not {"tag", "signature", "record", "log", "decision"} & set(refused)
        assert "which is not pinned in" in refused["attestations"] or "is not pinned" in refused["attestations"]
        assert f"of the profile {profile}, not of production" in refused["metadata"]


class TestAfterTheTag:
    """What was added to the record after the tag, which the tag cannot quote."""

    VERDICT, ATTESTED = "after-tag/REL-3.json", "after-tag/REL-3.intoto.json"

    def refused(self, world: World, changes: Mapping[str, bytes | None], trust: trusts.Trust | None = None) -> str:
        """The step's reason, when the record is otherwise as it was; no other step minds."""
        world.record({**world.all_files(), **changes})
        refused = world.refused(trust)
        assert list(refused) == ["after-tag"]
        return refused["after-tag"]

    def test_good(self, world: World) -> None:
        """The step tells what was found out since; a record without anything yet is fine, too."""
        assert world.verify().steps[-1].reason == "REL-3 PASS"
        world.record(world.files())
        found = world.verify()
        assert (found.outcome, found.steps[-1].reason) == (Outcome.PASS, "nothing was added yet")

    def test_edited(self, world: World) -> None:
        """Another verdict than the one that was attested."""
        better = world.all_files()[self.VERDICT].replace(b"pass", b"fail")
        assert "about another verdict" in self.refused(world, {self.VERDICT: better})

    def test_unsigned(self, world: World) -> None:
        """A verdict that anybody can have put there."""
        added = {"after-tag/REL-4.json": world.all_files()[self.VERDICT].replace(b"REL-3", b"REL-4")}
        assert "was added without an attestation" in self.refused(world, added)

    def test_by_a_stranger(self, world: World) -> None:
        """A verdict that somebody signed whom nobody pinned."""
        result = msgspec.json.decode(world.all_files()[self.VERDICT], type=ItemResult)
        key, tag = new_key(world.folder / "stranger"), git(world.clone, "rev-parse", VERSION)
        files = after_files(result, tag=tag, profile="production", run_id="r", days=1, key=key)
        assert "which is not pinned" in self.refused(world, files)

    def test_about_another_tag(self, world: World) -> None:
        """The verdict on another release, signed by the right key."""
        result = msgspec.json.decode(world.all_files()[self.VERDICT], type=ItemResult)
        files = after_files(result, tag="d" * 40, profile="production", run_id="r", days=1, key=world.key)
        assert "about another tag" in self.refused(world, files)

    def test_older_than_the_evidence(self, world: World) -> None:
        """A verdict after the tag cannot be from before it."""
        result = msgspec.json.decode(world.all_files()[self.VERDICT], type=ItemResult)
        old = msgspec.structs.replace(result, concluded_at=START - 60)
        tag = git(world.clone, "rev-parse", VERSION)
        files = after_files(old, tag=tag, profile="production", run_id="r", days=1, key=world.key)
        assert "was not drawn after the evidence" in self.refused(world, files)

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("after-tag/notes.txt", "is no verdict"),
            ("after-tag/REL-9.intoto.json", "is no verdict"),
            ("after-tag/x.json", "x.json"),
        ],
    )
    def test_strangers(self, world: World, name: str, told: str) -> None:
        """Anything else."""
        assert told in self.refused(world, {name: b"x"})


def test_the_test_profile_has_its_own_trust_root(tmp_path: Path, root: Path, remote: Path, config: Config) -> None:
    """A test's release verifies by the test's signers, and by production's it does not, for the key's sake."""
    ours, theirs = new_key(tmp_path / "test-key"), new_key(tmp_path / "key")
    signers: dict[configuration.ProfileName, Path] = {
        "test": pin(tmp_path / "test-signers", signed_by(ours)),
        "production": pin(tmp_path / "signers", signed_by(theirs)),
    }
    changed = settings(config, signers=signers)
    directory, data = finished_run(root, plan_of(root, changed, "test"), facts={})
    release_run(data, root, directory, lambda: WHEN, environment={"GOLIVE_SIGNING_KEY": str(ours.path)})
    where = {"remote": "origin", "records_branch": "releases"}
    assert remote.exists()
    assert verify(root, VERSION, trust=trusts.load(changed, root, profile="test"), **where).outcome is Outcome.PASS
    found = verify(root, VERSION, trust=trusts.load(changed, root), **where)
    assert found.outcome is Outcome.FAIL
    assert f"{ours.fingerprint}, which is not pinned in signers" in found.reason


def test_unsigned_where_that_is_allowed(root: Path, remote: Path, config: Config) -> None:
    """The test profile without a key: verified, and the answer says that nobody signed it."""
    changed = settings(config, signers={})
    directory, data = finished_run(root, plan_of(root, changed, "test"), facts={})
    release_run(data, root, directory, lambda: WHEN, environment={})
    assert git(remote, "cat-file", "-t", VERSION) == "tag"
    trust = trusts.load(changed, root, profile="test")
    found = verify(root, VERSION, trust=trust, remote="origin", records_branch="releases")
    assert found.outcome is Outcome.PASS
    assert "unsigned, which golive.toml allows" in found.reason
    assert {step.name for step in found.steps if step.outcome is Outcome.NOT_APPLICABLE} == {
        "signature",
        "attestations",
        "authorization",
    }
    assert START < (found.judged_at or 0) < WHEN
