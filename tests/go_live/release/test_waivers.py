"""Reading waivers, and verifying their approval with real keys in real repositories."""

import datetime as dt
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from go_live import config as configuration
from go_live.errors import UsageError
from go_live.release import waivers
from go_live.waivers import Waiver
from tests.go_live.release.conftest import ROOT, commit, git

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
ITEMS = ("PERF-4", "SOAK-2", "SEC-3")
ENTRY = """
[[waivers]]
item = "PERF-4"
profile = "production"
version = "v1.0-production"
owner = "Ada Lovelace <ada@example.org>"
approver = "Grace Hopper <grace@example.org>"
approval = "commit"
reason = "The limit is renegotiated."
issued = 2026-11-20
expires = 2026-12-10
"""
PIPELINE = ENTRY.replace('approval = "commit"', 'approval = "pipeline"\napproval_env = "APPROVED_RUN"')

needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def load(
    root: Path, *, beside: str | None = None, inside: str = "", environment: Mapping[str, str] | None = None
) -> tuple[Waiver, ...]:
    """The waivers of a golive.toml that ends in ``inside``, and of ``beside`` as the waivers.toml (None: as it is)."""
    text = (ROOT / "golive.toml").read_text(encoding="utf-8") + inside
    if beside is not None:
        (root / waivers.FILE).write_text(beside, encoding="utf-8")
    parsed = configuration.parse(text)
    path = root / "golive.toml"
    return waivers.load(path, parsed, root=root, items=ITEMS, now=NOW, environment=environment or {})


class TestReading:
    """Where waivers stand, and what a malformed one says."""

    def test_both_files_count(self, root: Path) -> None:
        """Entries of golive.toml come first, then those of waivers.toml; each knows where it is written."""
        found = load(root, inside=PIPELINE, beside=PIPELINE.replace("PERF-4", "SOAK-2"))
        assert [one.source for one in found] == [
            "golive.toml, waiver 1 (PERF-4)",
            "waivers.toml, waiver 1 (SOAK-2)",
        ]

    def test_no_waivers(self, root: Path) -> None:
        """A project without any has none."""
        assert load(root) == ()

    def test_dates_are_days_in_utc(self, root: Path) -> None:
        """A waiver holds from the beginning of its first day until its last begins, UTC."""
        (found,) = load(root, beside=PIPELINE)
        assert dt.datetime.fromtimestamp(found.issued_at, dt.UTC) == dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
        assert dt.datetime.fromtimestamp(found.expires_at, dt.UTC) == dt.datetime(2026, 12, 10, tzinfo=dt.UTC)

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ('owner = "Ada Lovelace <ada@example.org>"\n', "", "owner"),
            ("Grace Hopper <grace@example.org>", "ada  LOVELACE", "same person"),
            ("Grace Hopper <grace@example.org>", "Augusta <ADA@example.org>", "same person"),
            ('version = "v1.0-production"\n', "", "either version or commit"),
            ('version = "v1.0-production"\n', 'version = "v1"\ncommit = "0123456789ab"\n', "either version or commit"),
            ('version = "v1.0-production"\n', 'commit = "0123456789"\n', "commit"),
            ('"production"', '"staging"', "profile"),
            ("2026-12-10", "2026-12-21", "at most 30 days"),
            ("2026-12-10", "2026-11-20", "later than issued"),
            ("2026-12-10", '"2026-02-30"', "not a date"),
            ("2026-12-10", '"soon"', "expires"),
            ('item = "PERF-4"', 'item = "PERF-99"', "no such item"),
            ('approval = "commit"', 'approval = "pipeline"', "approval_env"),
            ('approval = "commit"', 'approval = "commit"\napproval_env = "CI_RUN"', "approval_env"),
            ('approval = "commit"', 'approval = "verbal"', "approval"),
            ('reason = "The limit is renegotiated."', 'reason = ""', "reason"),
            ("[[waivers]]", "[[waiver]]", "waiver"),
            ("[[waivers]]", "[waivers]", "no list"),
        ],
    )
    def test_a_malformed_one_is_refused(self, root: Path, old: str, new: str, told: str) -> None:
        """One line that names the file and, where there is one, the entry."""
        assert old in ENTRY
        with pytest.raises(UsageError, match=told) as caught:
            load(root, beside=ENTRY.replace(old, new))
        assert str(caught.value).startswith("waivers.toml")
        assert "\n" not in str(caught.value)

    def test_a_malformed_one_in_golive_toml_is_refused(self, root: Path) -> None:
        """The same holds for golive.toml, for whatever command reads it."""
        with pytest.raises(UsageError, match=r"golive.toml: waiver 2 \(PERF-4\): .*friend"):
            load(root, inside=PIPELINE + ENTRY.replace("approver", "friend"))

    def test_no_toml_is_refused(self, root: Path) -> None:
        """A file that cannot be parsed is no empty one."""
        with pytest.raises(UsageError, match=r"waivers.toml is not valid TOML"):
            load(root, beside="[[waivers")

    def test_a_file_that_cannot_be_read_is_refused(self, root: Path) -> None:
        """A waivers.toml that is a folder is named."""
        (root / waivers.FILE).mkdir()
        with pytest.raises(UsageError, match=r"cannot read .*waivers.toml"):
            load(root)

    def test_two_for_the_same_are_refused(self, root: Path) -> None:
        """One item in one scope is waived once, in whichever file."""
        with pytest.raises(UsageError, match=r"golive.toml, waiver 1 \(PERF-4\) is for the same"):
            load(root, inside=PIPELINE, beside=ENTRY)

    def test_one_dated_tomorrow_is_refused_in_the_report(self, root: Path) -> None:
        """A waiver of the future is no malformed one: it is listed as forbidden."""
        (found,) = load(root, beside=PIPELINE.replace("2026-11-20", "2026-11-24"), environment={"APPROVED_RUN": "1"})
        assert "has not come yet" in found.refused


class TestPipeline:
    """The pipeline's approval: the run that it names."""

    @pytest.mark.parametrize("run", ["4711", "https://ci.example.org/golive/runs/4711?attempt=2"])
    def test_the_run_is_named(self, root: Path, run: str) -> None:
        """The report can say where to look, and that the environment says so."""
        (found,) = load(root, beside=PIPELINE, environment={"APPROVED_RUN": run})
        assert (found.approval, found.refused) == (f"approval of the pipeline's run {run} (APPROVED_RUN)", "")

    @pytest.mark.parametrize("run", [None, "", " ", "yes please", "https://me:secret@ci.example.org/1"])
    def test_no_run_is_no_approval(self, root: Path, run: str | None) -> None:
        """Nothing, words, and an address with a password in it show no approval, and are not repeated."""
        (found,) = load(root, beside=PIPELINE, environment={} if run is None else {"APPROVED_RUN": run})
        assert found.approval == ""
        assert "cannot be verified" in found.refused
        assert "secret" not in found.refused


class Signers:
    """Two people with keys, of whom git knows both."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Make the keys, and tell git whom to believe."""
        self.root, self.folder = root, folder
        folder.mkdir()
        lines = []
        for name in ("ada", "grace"):
            key = folder / name
            make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)]
            subprocess.run(make, check=True, capture_output=True)
            lines.append(f'{name}@example.org namespaces="git" {key.with_suffix(".pub").read_text().strip()}')
        (folder / "allowed").write_text("\n".join(lines) + "\n")
        git(root, "config", "gpg.format", "ssh")
        git(root, "config", "gpg.ssh.allowedSignersFile", str(folder / "allowed"))

    def commit(self, text: str, *, by: str | None, name: str = waivers.FILE) -> str:
        """Commit ``name`` with ``text``, signed ``by`` one of them or by nobody; the commit's id."""
        if by is None:
            return commit(self.root, name, text)
        (self.root / name).write_text(text)
        git(self.root, "add", "--all")
        key = self.folder / by
        git(self.root, "-c", f"user.signingKey={key}", "commit", "--quiet", "--gpg-sign", "--message", "waive")
        return git(self.root, "rev-parse", "HEAD")


@pytest.fixture
def signers(root: Path, tmp_path: Path) -> Signers:
    """Ada and Grace."""
    return Signers(root, tmp_path / "keys")


@needs_ssh
class TestSignedCommit:
    """The approver's signed commit that added the entry."""

    def test_the_approver_signed_it(self, root: Path, signers: Signers) -> None:
        """The commit that added it is found below later ones, and signer and commit are told."""
        added = signers.commit(ENTRY, by="grace")
        signers.commit(ENTRY + PIPELINE.replace("PERF-4", "SOAK-2"), by=None)
        commit(root, "README", "later\n")
        first, _ = load(root)
        assert (first.approval, first.refused) == (f"signed commit {added[:12]} by grace@example.org", "")

    def test_an_entry_of_golive_toml_is_looked_up_there(self, root: Path, signers: Signers) -> None:
        """The history that counts is that of the file in which the entry stands."""
        text = (ROOT / "golive.toml").read_text(encoding="utf-8") + ENTRY
        added = signers.commit(text, by="grace", name="golive.toml")
        (found,) = load(root, inside=ENTRY)
        assert added[:12] in found.approval

    def test_the_owner_s_signature_is_no_approval(self, root: Path, signers: Signers) -> None:
        """A good signature of somebody else than the approver does not count."""
        signers.commit(ENTRY, by="ada")
        (found,) = load(root)
        assert found.approval == ""
        assert "signed by ada@example.org, not by the approver" in found.refused

    def test_no_signature(self, root: Path, signers: Signers) -> None:
        """A commit without a signature shows nothing, whoever it says made it."""
        signers.commit(ENTRY, by=None)
        (found,) = load(root)
        assert "does not vouch for a signature" in found.refused

    def test_an_unknown_key(self, root: Path, signers: Signers) -> None:
        """A signature of a key that git was not told to believe shows nothing."""
        signers.commit(ENTRY, by="grace")
        (signers.folder / "allowed").write_text("")
        (found,) = load(root)
        assert "does not vouch for a signature" in found.refused

    def test_an_edit_is_a_new_entry(self, root: Path, signers: Signers) -> None:
        """Who changes the reason, or stretches the expiry, has no approval for it."""
        signers.commit(ENTRY, by="grace")
        changed = ENTRY.replace("2026-12-10", "2026-12-11")
        signers.commit(changed, by=None)
        (found,) = load(root)
        assert "does not vouch for a signature" in found.refused

    def test_put_back_by_somebody_else(self, root: Path, signers: Signers) -> None:
        """An entry that was withdrawn is not approved again by putting it back."""
        signers.commit(ENTRY, by="grace")
        signers.commit("", by="grace")
        signers.commit(ENTRY, by=None)
        (found,) = load(root)
        assert "does not vouch for a signature" in found.refused

    def test_uncommitted(self, root: Path, signers: Signers) -> None:
        """An entry that only lies in the work tree was approved by nobody."""
        signers.commit("", by="grace")
        (found,) = load(root, beside=ENTRY)
        assert "is not committed" in found.refused

    def test_another_file_s_entry(self, root: Path, signers: Signers) -> None:
        """An entry that is committed in another file is not committed in this one."""
        signers.commit(ENTRY, by="grace", name="old-waivers.toml")
        (found,) = load(root, beside=ENTRY)
        assert "is not committed" in found.refused

    def test_a_shallow_clone_has_no_history_to_show_it(self, root: Path, signers: Signers, tmp_path: Path) -> None:
        """Where the history is cut off, nobody can say which commit added it."""
        signers.commit(ENTRY, by="grace")
        commit(root, "README", "later\n")
        git(tmp_path, "clone", "--quiet", "--depth=1", root.as_uri(), "shallow")
        (found,) = load(tmp_path / "shallow")
        assert "shallow" in found.refused

    def test_a_file_elsewhere(self, root: Path, signers: Signers, tmp_path: Path) -> None:
        """A configuration outside the project has no history in it."""
        signers.commit(ENTRY, by="grace")
        path = tmp_path / "golive.toml"
        parsed = configuration.parse((ROOT / "golive.toml").read_text(encoding="utf-8") + ENTRY)
        (found,) = waivers.load(path, parsed, root=root, items=ITEMS, now=NOW, environment={})
        assert "does not lie in the project" in found.refused

    def test_a_project_in_a_folder_of_its_repository(self, root: Path, signers: Signers) -> None:
        """The project's root need not be the repository's."""
        (root / "gate").mkdir()
        added = signers.commit(ENTRY, by="grace", name="gate/waivers.toml")
        (found,) = load(root / "gate")
        assert added[:12] in found.approval


@pytest.mark.parametrize(
    ("signer", "approver", "same"),
    [
        ("grace@example.org", "Grace Hopper <grace@example.org>", True),
        ("Grace Hopper <grace@example.org>", "Grace Hopper", True),
        ("Grace Hopper <mallory@example.org>", "Grace Hopper <grace@example.org>", False),
        ("grace@example.org", "Grace Hopper", False),
        ("", "Grace Hopper", False),
    ],
)
def test_the_signer_is_the_approver_by_address(signer: str, approver: str, *, same: bool) -> None:
    """Where both have an address it decides, so that a key made out to another's name is not that other's."""
    assert waivers._is(signer, approver) is same
