"""Observing the repository: what counts as dirt, and that looking changes nothing."""

import os
from pathlib import Path

import pytest

from go_live.errors import UsageError
from go_live.release.git import Git, GitError, Result, mask
from go_live.release.repository import dirt, identity, observe
from tests.go_live.release.conftest import git, snapshot


def test_a_clean_clone(root: Path) -> None:
    """Commit, tree and branch are git's; nothing is dirty or shallow."""
    state = observe(root)
    assert (state.commit, state.tree) == (git(root, "rev-parse", "HEAD"), git(root, "rev-parse", "HEAD^{tree}"))
    assert (state.branch, state.dirty, state.shallow) == ("main", False, False)


def test_looking_changes_nothing(root: Path) -> None:
    """Not even the index is refreshed, though a touched file would give reason to."""
    os.utime(root / "worker.py", (1, 1))
    before = snapshot(root)
    assert not observe(root).dirty
    assert snapshot(root) == before


def test_a_subfolder_sees_its_whole_repository(root: Path) -> None:
    """A project that is vendored into a larger repository is dirty when that repository is."""
    (root / "vendored").mkdir()
    (root / "worker.py").write_text("changed")
    assert observe(root / "vendored").dirty


def test_detached_head_has_no_branch(root: Path) -> None:
    """A detached HEAD is no branch named HEAD."""
    git(root, "checkout", "--quiet", "--detach")
    assert observe(root).branch is None


def test_shallow(root: Path, remote: Path, tmp_path: Path) -> None:
    """A clone of depth 1 is shallow."""
    git(root, "clone", "--quiet", "--depth=1", remote.as_uri(), str(tmp_path / "s"))
    assert observe(tmp_path / "s").shallow


class TestDirt:
    """What a run could not be repeated without."""

    def test_changed_staged_deleted_and_untracked(self, root: Path) -> None:
        """Each kind of change is named by its path, in order."""
        (root / "README").unlink()
        (root / "worker.py").write_text("changed")
        (root / "a new file").write_text("")
        (root / "staged").write_text("")
        git(root, "add", "staged")
        assert dirt(Git(root)) == ["README", "a new file", "staged", "worker.py"]

    def test_ignored_files_are_no_dirt(self, root: Path) -> None:
        """What .gitignore names is meant to be there."""
        (root / "reports").mkdir()
        (root / "reports" / "x").write_text("")
        assert dirt(Git(root)) == []

    @pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
    def test_hidden_files_are_dirt(self, root: Path, flag: str) -> None:
        """A file that git was told not to look at may differ from its commit unseen."""
        git(root, "update-index", flag, "worker.py")
        (root / "worker.py").write_text("changed")
        assert git(root, "status", "--porcelain") == ""
        assert dirt(Git(root)) == ["worker.py"]

    def test_configuration_cannot_hide_it(self, root: Path) -> None:
        """``status.showUntrackedFiles=no`` and renames do not change what is seen."""
        git(root, "config", "status.showUntrackedFiles", "no")
        git(root, "config", "status.renames", "true")
        git(root, "mv", "worker.py", "moved.py")
        (root / "untracked").write_text("")
        assert dirt(Git(root)) == ["moved.py", "untracked", "worker.py"]


class TestTroubles:
    """Each is one line with its remedy."""

    def test_no_repository(self, tmp_path: Path) -> None:
        """A folder outside any repository."""
        with pytest.raises(UsageError, match="is not in a git repository"):
            observe(tmp_path)

    def test_no_commit(self, tmp_path: Path) -> None:
        """A repository in which nothing was committed."""
        git(tmp_path, "init", "--quiet")
        with pytest.raises(UsageError, match="has no commit"):
            observe(tmp_path)

    def test_bare_repository(self, remote: Path) -> None:
        """A repository without a work tree."""
        with pytest.raises(UsageError, match="bare repository"):
            observe(remote)

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that does not exist."""
        with pytest.raises(UsageError, match="is not a folder"):
            observe(tmp_path / "none")

    def test_broken_repository_is_not_called_missing(self, root: Path) -> None:
        """Git's own reason is passed on when it is another than "no repository"."""
        (root / ".git" / "config").write_text("[core")
        with pytest.raises(GitError, match=r"git cannot read .*bad config"):
            observe(root)

    def test_git_is_not_installed(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A machine without git."""
        monkeypatch.setenv("PATH", str(root))
        with pytest.raises(UsageError, match="git is not installed"):
            observe(root)

    def test_a_command_that_hangs_is_ended(self, root: Path) -> None:
        """A git that does not end in time is stopped with all it started, and says so."""
        git(root, "config", "alias.hang", "!sleep 600")
        with pytest.raises(GitError, match=r"git hang did not end within 0 s"):
            Git(root).text("hang", timeout_s=0.2)


class TestIdentity:
    """Who signs a tag is said by a person, never guessed from the host."""

    def test_from_the_environment(self, root: Path) -> None:
        """Name and address, without git's date."""
        assert identity(Git(root)) == "Rae Lease <rae@example.org>"

    def test_half_of_it(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address alone is not enough: the account's name is not put in its place."""
        monkeypatch.delenv("GIT_COMMITTER_NAME")
        with pytest.raises(UsageError, match="no identity"):
            identity(Git(root))

    def test_none(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without name and address there is none."""
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.delenv(f"GIT_{role}_NAME")
            monkeypatch.delenv(f"GIT_{role}_EMAIL")
        with pytest.raises(UsageError, match=r"set user\.name and user\.email"):
            identity(Git(root))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:token@host/x.git", "https://***@host/x.git"),
        ("fatal: 'https://token@host:8/x' and ssh://git@h/y", "fatal: 'https://***@host:8/x' and ssh://***@h/y"),
        ("https://a@b:p@ss@host/x", "https://***@host/x"),
        ("https://host/@scope/x", "https://host/@scope/x"),
        ("git@host:x.git", "git@host:x.git"),
    ],
)
def test_mask(text: str, shown: str) -> None:
    """Whatever stands before the host of a URL is masked, all of it, and nothing else."""
    assert mask(text) == shown


def test_git_s_own_words_are_masked() -> None:
    """Git quotes the address that it could not reach; a token in it is not passed on."""
    err = "remote: x\nfatal: unable to access 'https://me:s3cret@host/x.git/': refused\n"
    assert Result(128, b"", err).reason == "unable to access 'https://***@host/x.git/': refused"
