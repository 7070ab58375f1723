"""The scan sees everything that git keeps, on real repositories."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from go_live.errors import MeasurementError, UsageError
from go_live.keys.findings import Finding
from go_live.keys.scan import scan
from selftest.project import git
from tests.go_live.keys.conftest import Commit
from tests.go_live.keys.made_up import drawn, of_kind

LINE = f"first\nkey = '{of_kind('runpod')}'\n"


def found(root: Path) -> list[Finding]:
    """The findings of a scan."""
    return [one.finding for one in scan(root).found]


def test_a_clean_repository_has_none(repository: Path) -> None:
    """A repository without a secret has no finding, and the scan says what it has seen."""
    seen = scan(repository)
    assert (seen.found, seen.objects, seen.files) == ((), 3, 1)
    assert seen.head == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("packed", [False, True])
def test_a_deleted_secret_is_found_in_the_commit_that_brought_it(
    repository: Path, commit: Commit, *, packed: bool
) -> None:
    """A secret that was deleted later is found, loose or packed, by its oldest commit, path and line."""
    first = commit("src/settings.py", LINE)
    commit("src/settings.py", LINE + "# more\n")
    commit("src/settings.py", "nothing\n")
    if packed:
        git(repository, "gc", "--quiet", "--aggressive", "--prune=now")
    [finding] = found(repository)
    assert (finding.rule, finding.commit, finding.path, finding.line) == ("runpod", first, "src/settings.py", 2)
    assert (finding.places, finding.versions) == (("history",), 2)
    assert finding.masked == "rpa_***(44 characters)"


def test_branches_tags_and_merges_are_seen(repository: Path, commit: Commit) -> None:
    """Secrets on a side branch, in a merge's own content, and under a tag that no branch holds are found."""
    git(repository, "switch", "--quiet", "--create", "side")
    commit("side.txt", f"{of_kind('github')}\n")
    git(repository, "switch", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--no-commit", "side")
    (repository / "merge.txt").write_text(f"{of_kind('slack')}\n", encoding="utf-8")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Merge")
    git(repository, "switch", "--quiet", "--detach")
    tagged = commit("tagged.txt", f"{of_kind('hugging-face')}\n")
    git(repository, "tag", "kept")
    git(repository, "switch", "--quiet", "main")
    seen = {finding.path: (finding.rule, finding.places[0]) for finding in found(repository)}
    assert seen == {
        "side.txt": ("github", "history"),
        "merge.txt": ("slack", "history"),
        "tagged.txt": ("hugging-face", "history"),
    }
    assert tagged in {finding.commit for finding in found(repository)}


def test_every_stash_is_seen_with_its_untracked_files(repository: Path) -> None:
    """The older of two stashes and a stashed untracked file are found, as stashed."""
    for number, untracked in enumerate(("old.txt", "new.txt")):
        (repository / "README.md").write_text(f"{number} {of_kind('aws', seed=number)}\n", encoding="utf-8")
        (repository / untracked).write_text(f"{of_kind('github', seed=number)}\n", encoding="utf-8")
        git(repository, "stash", "push", "--quiet", "--include-untracked")
    seen = found(repository)
    assert sorted(finding.path for finding in seen) == ["README.md", "README.md", "new.txt", "old.txt"]
    assert {finding.places for finding in seen} == {("stash",)}


def test_the_index_and_the_work_tree_are_seen(repository: Path) -> None:
    """What is staged and never committed, what is edited and what is untracked are found; what is ignored is not."""
    (repository / "staged.txt").write_text(of_kind("github"), encoding="utf-8")
    git(repository, "add", "staged.txt")
    (repository / "staged.txt").unlink()
    (repository / "README.md").write_text(of_kind("slack"), encoding="utf-8")
    (repository / "new.txt").write_text(of_kind("aws"), encoding="utf-8")
    (repository / ".gitignore").write_text("ignored.txt\n", encoding="utf-8")
    (repository / "ignored.txt").write_text(of_kind("aws"), encoding="utf-8")
    seen = {finding.path: finding.places for finding in found(repository)}
    assert seen == {"staged.txt": ("index",), "README.md": ("work tree",), "new.txt": ("work tree",)}


def test_messages_of_commits_and_tags_are_seen(repository: Path) -> None:
    """A secret in a commit's message and one in an annotated tag's are found."""
    git(repository, "commit", "--quiet", "--allow-empty", "--message", f"Use {of_kind('github')}")
    git(repository, "tag", "--annotate", "--message", f"Key {of_kind('slack')}", "v1")
    seen = {finding.rule: finding for finding in found(repository)}
    assert seen["github"].path == "(commit message)"
    assert seen["github"].commit == git(repository, "rev-parse", "HEAD")
    assert seen["slack"].path == "(tag message) of refs/tags/v1"


@pytest.mark.parametrize("packed", [False, True])
def test_what_nothing_leads_to_is_seen(repository: Path, commit: Commit, *, packed: bool) -> None:
    """A commit that was amended away, and a blob that was only ever added, are found as unreachable."""
    commit("gone.txt", LINE)
    git(repository, "reset", "--quiet", "--hard", "HEAD~1")
    (repository / "added.txt").write_text(of_kind("github"), encoding="utf-8")
    git(repository, "add", "added.txt")
    git(repository, "rm", "--quiet", "--force", "added.txt")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    if packed:
        git(repository, "repack", "-adq", "--keep-unreachable")
    seen = {finding.rule: finding for finding in found(repository)}
    assert seen["runpod"].path == "gone.txt"
    assert seen["runpod"].places == seen["github"].places == ("unreachable",)
    assert seen["github"].object is not None


def test_binary_and_other_encodings_are_seen(repository: Path, commit: Commit) -> None:
    """A secret among zero bytes, one in Latin-1, one in UTF-16 and one in a line of a megabyte are found."""
    secret = of_kind("runpod").encode()
    commit("binary.bin", bytes(range(256)) * 40 + secret + b"\0" * 400)
    commit("latin.txt", "Schl\u00fcssel ".encode("latin-1") + secret)
    commit("wide.txt", f"KEY={secret.decode()}\n".encode("utf-16"))
    commit("long.txt", b"x " * 300_000 + secret + b" y" * 300_000)
    assert {finding.path for finding in found(repository)} == {"binary.bin", "latin.txt", "wide.txt", "long.txt"}


def test_a_large_file_is_read_in_pieces(repository: Path, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object longer than a piece is read in several, and a secret across their border is found."""
    monkeypatch.setattr("go_live.keys.objects.PIECE_BYTES", 10_000)
    commit("large.txt", b"z\n" * 4_990 + of_kind("runpod").encode() + b"\n" + b"z\n" * 20_000)
    [finding] = found(repository)
    assert finding.line == 4_991


@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"tab\there.txt", "\u00fcber.txt".encode(), b"-dash.txt"])
def test_any_file_name_is_shown_safely(repository: Path, name: bytes) -> None:
    """A name that is no UTF-8, or holds control characters, is shown escaped."""
    (repository / os.fsdecode(name)).write_bytes(LINE.encode())
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "A name")
    [finding] = found(repository)
    assert finding.path.isprintable()
    assert finding.places == ("history", "index", "work tree")


def test_env_files_are_findings_whatever_they_hold(repository: Path, commit: Commit) -> None:
    """A .env with values is a finding though no value looks random; an example, and one without values, are not."""
    weak = "hunter" + "2"
    brought = commit("deploy/.env", f"PORT=80\nDB_PASSWORD={weak}\n")
    git(repository, "rm", "--quiet", "deploy/.env")
    git(repository, "commit", "--quiet", "--message", "Gone")
    commit(".env.example", f"DB_PASSWORD={weak}\n")
    commit("empty.env", "DB_PASSWORD=\n# nothing\n")
    [finding] = found(repository)
    assert (finding.rule, finding.path, finding.line) == ("env-file", "deploy/.env", 2)
    assert finding.commit == brought


def test_submodules_are_named_and_left_out(repository: Path, tmp_path: Path) -> None:
    """A submodule is another repository: the scan says that it did not look there."""
    other = tmp_path / "other"
    shutil.copytree(repository, other)
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "vendor")
    git(repository, "commit", "--quiet", "--message", "Vendor")
    seen = scan(repository)
    assert seen.found == ()
    assert "vendor" in seen.notes[0]


def test_lfs_files_are_read_or_missed(repository: Path, commit: Commit) -> None:
    """What a pointer of Git LFS stands for is scanned where it is here, and an error where it is not."""
    sha256 = drawn(64, "0123456789abcdef")
    commit("model.bin", f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize 12\n")
    with pytest.raises(MeasurementError, match="git lfs fetch --all"):
        scan(repository)
    kept = repository / ".git" / "lfs" / "objects" / sha256[:2] / sha256[2:4] / sha256
    kept.parent.mkdir(parents=True)
    kept.write_text(LINE, encoding="utf-8")
    [finding] = found(repository)
    assert finding.places == ("lfs",)


def test_a_shallow_and_a_partial_clone_are_refused(repository: Path, commit: Commit, tmp_path: Path) -> None:
    """A clone without its history is refused: exit 2, with the remedy."""
    commit("a.txt", "a\n")
    git(repository, "config", "uploadpack.allowFilter", "true")
    for name, option in (("shallow", "--depth=1"), ("partial", "--filter=blob:none")):
        git(tmp_path, "clone", "--quiet", option, repository.as_uri(), name)
        with pytest.raises(UsageError, match=name):
            scan(tmp_path / name)


@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_an_object_that_cannot_be_read_is_an_error(repository: Path, commit: Commit, damage: bytes) -> None:
    """An emptied and an overwritten object are errors (exit 4), never "nothing found"."""
    commit("a.txt", "a\n")
    path = loose(repository, "HEAD:a.txt")
    path.chmod(0o644)
    path.write_bytes(damage)
    with pytest.raises(MeasurementError, match="cannot be read"):
        scan(repository)


def test_a_missing_object_is_an_error(repository: Path, commit: Commit) -> None:
    """A blob that a commit names and the repository lacks is an error."""
    commit("a.txt", "a\n")
    loose(repository, "HEAD:a.txt").unlink()
    with pytest.raises(MeasurementError, match="cannot be read whole"):
        scan(repository)


def test_a_corrupt_pack_is_an_error(repository: Path, commit: Commit) -> None:
    """Bytes that changed inside of a pack are an error."""
    commit("a.txt", f"{drawn(5000)}\n")
    git(repository, "repack", "-adq")
    [pack] = (repository / ".git" / "objects" / "pack").glob("*.pack")
    content = bytearray(pack.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20] = bytes(byte ^ 0xFF for byte in content[middle : middle + 20])
    pack.chmod(0o644)
    pack.write_bytes(content)
    with pytest.raises(MeasurementError, match="cannot be read"):
        scan(repository)


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    """Outside of a repository there is nothing to scan."""
    with pytest.raises(UsageError, match="not in a git repository"):
        scan(tmp_path)


def test_an_empty_repository_is_scanned(tmp_path: Path) -> None:
    """A repository without a commit has a work tree all the same."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a.txt").write_text(of_kind("github"), encoding="utf-8")
    assert [finding.places for finding in found(tmp_path)] == [("work tree",)]


def test_secrets_show_in_no_repr(repository: Path, commit: Commit) -> None:
    """What the scan returns can be printed: no secret stands in it."""
    commit("a.txt", LINE)
    assert of_kind("runpod")[10:] not in repr(scan(repository))


def loose(root: Path, name: str) -> Path:
    """The file of a loose object."""
    object_id = git(root, "rev-parse", name)
    return root / ".git" / "objects" / object_id[:2] / object_id[2:]


def test_this_project_holds_no_secret() -> None:
    """The project's own repository passes its own scan."""
    root = Path(__file__).parents[3]
    inside = subprocess.run(["git", "rev-parse", "--is-shallow-repository"], cwd=root, capture_output=True, check=False)  # noqa: S607
    if inside.stdout.strip() != b"false":
        pytest.skip("not a whole clone")
    assert found(root) == []
