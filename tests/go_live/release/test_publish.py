"""Publishing: record and tag land together on the remote, or nothing changes anywhere that anybody can see."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from go_live.config import Config
from go_live.errors import ExitCode, ReleaseIncompleteError, UsageError
from go_live.release import remote as remotes
from go_live.release.git import Git
from go_live.release.journal import Entry, Journal
from go_live.release.metadata import METADATA_NAME, encode, tag_message
from go_live.release.publish import Published, publish
from go_live.release.record import record_commit
from go_live.release.rehearse import publish_rehearsal
from go_live.release.state import Release, release_state
from tests.go_live.release.conftest import (
    FILES,
    WHEN,
    commit,
    git,
    make_metadata,
    make_plan,
    make_record,
    rehearsal_plan,
    snapshot,
)

Release_it = Callable[[], Published]


@pytest.fixture
def release_it(root: Path, release: Release, config: Config) -> Release_it:
    """Publish ``release`` from ``root``."""
    message, record = make_record(config, release)
    return lambda: publish(root, release, message=message, record=record, journal=begun(root, release))


def begun(root: Path, release: Release) -> Journal:
    """The journal of a release that begins now; it lies beside ``root``."""
    entry = Entry(version=release.version, commit=release.commit, when=WHEN)
    return Journal(root.parent / "release.json", entry)


def refused(root: Path, act: Release_it) -> str:
    """Assert that ``act`` is refused with exit code 5 in one line and changes nothing in ``root``; return the line."""
    before = snapshot(root)
    with pytest.raises(ReleaseIncompleteError) as caught:
        act()
    assert caught.value.exit_code is ExitCode.NOT_RELEASED
    assert snapshot(root) == before
    text = str(caught.value)
    assert "\n" not in text
    return text


def hook(repository: Path, name: str, script: str) -> None:
    """Install a hook."""
    path = repository / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def release_as(version: str, root: Path, release: Release, config: Config) -> Published:
    """Publish under another version."""
    settings = msgspec.structs.replace(config, release=msgspec.structs.replace(config.release, version=version))
    message, record = make_record(settings, release)
    other = msgspec.structs.replace(release, version=version)
    return publish(root, other, message=message, record=record, journal=begun(root, other))


class TestHappyPath:
    """What a release leaves behind."""

    def test_tag_is_annotated_and_names_the_validated_commit(
        self, root: Path, remote: Path, release: Release, release_it: Release_it
    ) -> None:
        """The tag on the remote is a tag object on the plan's commit, not on the commit that records it."""
        published = release_it()
        assert git(remote, "cat-file", "-t", "refs/tags/v1.0-production") == "tag"
        assert git(remote, "rev-parse", "v1.0-production^{commit}") == release.commit == git(root, "rev-parse", "HEAD")
        assert published.record != release.commit
        assert "2.8 s exec, 3.5 s total p50 at c=2" in git(remote, "cat-file", "tag", "v1.0-production")

    def test_record_is_committed_on_its_own_branch(self, remote: Path, release_it: Release_it) -> None:
        """The first record starts the branch, under a folder named by the version, with every file as given."""
        published = release_it()
        assert git(remote, "rev-parse", "releases") == published.record
        assert git(remote, "rev-list", "--count", "releases") == "1"
        listed = git(remote, "ls-tree", "-r", "--name-only", "releases").split()
        assert listed == sorted(f"v1.0-production/{name}" for name in (*FILES, METADATA_NAME))
        assert git(remote, "show", "releases:v1.0-production/report.html").encode() + b"\n" == FILES["report.html"]

    def test_the_branch_that_builds_does_not_move(
        self, root: Path, remote: Path, release: Release, release_it: Release_it
    ) -> None:
        """No commit is added to the release branch, here or there: it would roll out a build nobody measured."""
        release_it()
        assert git(remote, "rev-parse", "main") == git(root, "rev-parse", "main") == release.commit

    def test_local_refs_and_metadata_follow(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """After the push, the tag and the records branch are known here too, and the work tree stays clean."""
        published = release_it()
        assert git(root, "rev-parse", "refs/tags/v1.0-production") == published.tag
        assert git(root, "rev-parse", "refs/heads/releases") == published.record
        assert git(root, "rev-parse", "origin/releases") == git(remote, "rev-parse", "releases")
        assert json.loads((root / METADATA_NAME).read_text())["git_commit"] == published.commit
        assert git(root, "status", "--porcelain") == ""
        assert published.notes == ()

    def test_second_release_builds_on_the_first(
        self, root: Path, remote: Path, config: Config, release: Release, release_it: Release_it
    ) -> None:
        """The records branch keeps every record."""
        first = release_it()
        second = release_as("v1.1", root, release, config)
        assert git(remote, "rev-parse", "releases^") == first.record
        assert git(remote, "ls-tree", "--name-only", "releases").split() == ["v1.0-production", "v1.1"]
        assert git(root, "rev-parse", "releases") == second.record

    def test_same_input_gives_same_objects(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """Repeating a release with the same date makes bit-identical objects: what an interrupted one needs."""
        first = release_it()
        for place in (root, remote):
            git(place, "update-ref", "-d", "refs/tags/v1.0-production")
            git(place, "update-ref", "-d", "refs/heads/releases")
        assert release_it() == first

    def test_user_configuration_does_not_matter(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """Signing, tag following and mirroring habits of the user neither break the push nor widen it."""
        git(root, "tag", "--annotate", "--message=private", "private-note", "HEAD")
        git(remote, "tag", "not-asked-for", "main")
        for key, value in {
            "commit.gpgSign": "true", "tag.gpgSign": "true", "push.followTags": "true", "push.gpgSign": "true",
            "i18n.commitEncoding": "ISO-8859-1",
            "remote.origin.tagOpt": "--tags", "status.showUntrackedFiles": "no", "fetch.prune": "true",
        }.items():  # fmt: skip
            git(root, "config", key, value)
        release_it()
        assert git(remote, "for-each-ref", "--format=%(refname)").split() == [
            "refs/heads/main", "refs/heads/releases", "refs/tags/not-asked-for", "refs/tags/v1.0-production",
        ]  # fmt: skip
        assert git(root, "tag").split() == ["private-note", "v1.0-production"]

    def test_called_from_a_git_hook(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release_it: Release_it
    ) -> None:
        """Variables that git sets for its hooks do not divert the release to another repository or index."""
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
        release_it()

    def test_detached_head_with_the_commit_named(
        self, root: Path, remote: Path, config: Config, release: Release
    ) -> None:
        """A detached HEAD is released when the user names its commit."""
        git(root, "checkout", "--quiet", "--detach")
        message, record = make_record(config, release)
        named = msgspec.structs.replace(release, named=release.commit)
        publish(root, named, message=message, record=record, journal=begun(root, named))
        assert git(remote, "rev-parse", "v1.0-production^{commit}") == release.commit

    def test_local_records_branch_of_its_own_is_left_alone(
        self, root: Path, remote: Path, release_it: Release_it
    ) -> None:
        """A local branch that went its own way is not overwritten; a note says so."""
        git(root, "branch", "releases", "main")
        published = release_it()
        assert git(root, "rev-parse", "releases") == git(root, "rev-parse", "main")
        assert git(remote, "rev-parse", "releases") == published.record
        assert "local branch releases" in published.notes[0]


class TestRefusals:
    """Each refusal is one line, exit code 5, and leaves work tree, index, HEAD, branches and tags byte-identical."""

    def test_dirty_tree(self, root: Path, release_it: Release_it) -> None:
        """A changed file."""
        (root / "worker.py").write_text("print('changed')\n")
        assert "not clean: worker.py" in refused(root, release_it)

    def test_dirty_index(self, root: Path, release_it: Release_it) -> None:
        """A staged change whose file was put back."""
        (root / "worker.py").write_text("print('changed')\n")
        git(root, "add", "worker.py")
        (root / "worker.py").write_text("print('worker')\n")
        assert "not clean: worker.py" in refused(root, release_it)

    def test_untracked_file(self, root: Path, release_it: Release_it) -> None:
        """A file that is in no commit."""
        (root / "conftest.py").write_text("")
        assert "not clean: conftest.py" in refused(root, release_it)

    def test_shallow_clone(self, tmp_path: Path, remote: Path, release: Release, config: Config) -> None:
        """A clone without its history."""
        clone = tmp_path / "shallow"
        git(tmp_path, "clone", "--quiet", "--depth=1", remote.as_uri(), str(clone))
        message, record = make_record(config, release)
        text = refused(
            clone, lambda: publish(clone, release, message=message, record=record, journal=begun(clone, release))
        )
        assert "shallow" in text
        assert "--unshallow" in text

    def test_head_moved(self, root: Path, release_it: Release_it) -> None:
        """A commit after the plan was made."""
        commit(root, "later", "later\n")
        assert "HEAD moved" in refused(root, release_it)

    def test_tag_exists_here(self, root: Path, release_it: Release_it) -> None:
        """A local tag of that name, even if the remote has none."""
        git(root, "tag", "v1.0-production")
        assert "already exists here" in refused(root, release_it)

    def test_tag_exists_on_the_remote(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """A tag that this clone does not know of."""
        git(remote, "tag", "v1.0-production", "main")
        assert "already exists on origin" in refused(root, release_it)

    def test_record_exists_on_the_remote(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """A record whose tag was deleted: a version is never recorded twice."""
        release_it()
        git(remote, "update-ref", "-d", "refs/tags/v1.0-production")
        git(root, "tag", "--delete", "v1.0-production")
        assert "already has a record" in refused(root, release_it)

    def test_commit_not_on_the_remote(self, root: Path, config: Config) -> None:
        """A commit that was never pushed to the release branch."""
        new = commit(root, "unpushed", "x\n")
        plan = Release(version="v1.0-production", commit=new, branch="main", remote="origin", records_branch="releases")
        message, record = make_record(config, plan)
        text = refused(root, lambda: publish(root, plan, message=message, record=record, journal=begun(root, plan)))
        assert "is not on main of origin" in text

    def test_release_branch_went_another_way(
        self, root: Path, remote: Path, tmp_path: Path, release_it: Release_it
    ) -> None:
        """The remote's release branch was rewritten, so that it no longer holds the commit."""
        other = tmp_path / "other"
        git(tmp_path, "clone", "--quiet", remote.as_uri(), str(other))
        git(other, "reset", "--quiet", "--hard", "HEAD~1")
        commit(other, "instead", "x\n")
        git(other, "push", "--quiet", "--force", "origin", "main")
        assert "is not on main" in refused(root, release_it)

    def test_release_branch_missing_on_the_remote(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """The remote has no such branch at all."""
        git(remote, "update-ref", "-d", "refs/heads/main")
        assert "has no branch main" in refused(root, release_it)

    def test_other_branch(self, root: Path, release_it: Release_it) -> None:
        """HEAD on another branch, at the same commit."""
        git(root, "checkout", "--quiet", "-b", "hotfix")
        assert "HEAD is on hotfix, not on main" in refused(root, release_it)

    def test_detached_head(self, root: Path, release_it: Release_it) -> None:
        """A detached HEAD whose commit nobody named."""
        git(root, "checkout", "--quiet", "--detach")
        assert "--commit" in refused(root, release_it)

    def test_another_commit_named(self, root: Path, release: Release, config: Config) -> None:
        """``--commit`` names another commit than the plan's."""
        message, record = make_record(config, release)
        other = msgspec.structs.replace(release, named=git(root, "rev-parse", "HEAD~1"))
        assert "--commit names" in refused(
            root, lambda: publish(root, other, message=message, record=record, journal=begun(root, other))
        )

    def test_remote_without_atomic(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """A remote that cannot take two refs in one step."""
        git(remote, "config", "receive.advertiseAtomic", "false")
        assert "atomic" in refused(root, release_it)

    def test_remote_unreachable(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """A remote that is gone."""
        remote.rename(remote.with_name("gone"))
        assert "cannot read the remote origin" in refused(root, release_it)

    def test_no_such_remote(self, root: Path, release_it: Release_it) -> None:
        """A remote that was never configured."""
        git(root, "remote", "remove", "origin")
        assert "no remote 'origin'" in refused(root, release_it)

    def test_two_push_addresses(self, root: Path, release_it: Release_it) -> None:
        """A remote that is pushed to two places, where one could accept and the other not."""
        git(root, "remote", "set-url", "--add", "--push", "origin", "file:///one")
        git(root, "remote", "set-url", "--add", "--push", "origin", "file:///two")
        assert "2 addresses" in refused(root, release_it)

    def test_rejecting_hook(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """The remote's policy refuses; its own words are shown, and neither ref lands."""
        hook(remote, "pre-receive", "echo 'releases are frozen' >&2; exit 1")
        text = refused(root, release_it)
        assert "pre-receive hook declined" in text
        assert "releases are frozen" in text
        assert git(remote, "for-each-ref", "--format=%(refname)") == "refs/heads/main"

    @pytest.mark.parametrize("ref", ["refs/heads/releases", "refs/tags/v1.0-production"])
    def test_one_ref_rejected_is_both_rejected(
        self, root: Path, remote: Path, release_it: Release_it, ref: str
    ) -> None:
        """A rule against one of the two refs keeps the other from landing too."""
        hook(remote, "update", f'test "$1" != {ref} || exit 1')
        assert ref in refused(root, release_it)
        assert git(remote, "for-each-ref", "--format=%(refname)") == "refs/heads/main"

    def test_push_that_hangs(
        self, monkeypatch: pytest.MonkeyPatch, root: Path, remote: Path, release_it: Release_it
    ) -> None:
        """A remote that never answers ends the release in time, with what it holds as the last word."""
        hook(remote, "pre-receive", "sleep 60")
        real = remotes.push

        def impatient(*arguments: Any, dry_run: bool = False) -> str | None:
            monkeypatch.setattr(remotes, "PUSH_S", 60.0 if dry_run else 1.0)
            return real(*arguments, dry_run=dry_run)

        monkeypatch.setattr(remotes, "push", impatient)
        assert "git push did not end within 1 s" in refused(root, release_it)
        assert git(remote, "for-each-ref", "--format=%(refname)") == "refs/heads/main"

    @pytest.mark.parametrize("ref", ["refs/heads/releases", "refs/tags/v1.0-production"])
    def test_race(self, root: Path, remote: Path, release_it: Release_it, ref: str) -> None:
        """Somebody else creates one of the two refs between our look and our push: neither of ours lands."""
        rival = git(remote, "rev-parse", "main~1")
        hook(root / ".git", "pre-push", f"git -C {remote} update-ref {ref} {rival}")
        assert ref in refused(root, release_it)
        refs = git(remote, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        assert [line for line in refs if "main" not in line] == [f"{ref} {rival}"]

    @pytest.mark.parametrize("move", ["advanced", "rewound", "deleted"])
    def test_race_on_a_branch_that_exists(
        self, monkeypatch: pytest.MonkeyPatch, root: Path, remote: Path, release: Release, config: Config, move: str
    ) -> None:
        """The records branch moves, any way at all, between our look and our push: what was done there stands."""
        for version in ("v0.8", "v0.9"):
            release_as(version, root, release, config)
        base = git(remote, "rev-parse", "releases")
        moved = {
            "advanced": git(remote, "commit-tree", f"{base}^{{tree}}", "-p", base, "-m", "rival"),
            "rewound": git(remote, "rev-parse", f"{base}^"),
            "deleted": "0" * 40,
        }[move]

        def meanwhile(*arguments: Any, **options: Any) -> str:
            git(remote, "update-ref", "refs/heads/releases", moved)
            return record_commit(*arguments, **options)

        monkeypatch.setattr("go_live.release.publish.record_commit", meanwhile)
        assert "refs/heads/releases" in refused(root, lambda: release_as("v1.0", root, release, config))
        there = git(remote, "for-each-ref", "--format=%(objectname)", "refs/heads/releases")
        assert there == ("" if move == "deleted" else moved)
        assert git(remote, "tag") == "v0.8\nv0.9"

    def test_accepted_but_not_there(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """A remote that accepts the push and then drops the tag: not a release, and nothing here says it is one."""
        hook(remote, "post-receive", "git update-ref -d refs/tags/v1.0-production")
        with pytest.raises(ReleaseIncompleteError, match="does not show what was pushed"):
            release_it()
        assert git(root, "tag") == ""
        assert not (root / METADATA_NAME).exists()

    def test_unreadable_after_the_push(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """A remote that is gone when it is read back: said to be unconfirmed, never assumed to be either."""
        hook(remote, "post-receive", f"mv {remote} {remote}.gone")
        with pytest.raises(ReleaseIncompleteError, match=r"unconfirmed .*git ls-remote origin"):
            release_it()
        assert git(root, "tag") == ""
        assert not (root / METADATA_NAME).exists()

    def test_lost_answer_is_no_refusal(self, root: Path, remote: Path, release_it: Release_it) -> None:
        """When both refs landed but the answer was lost, the release is complete: the remote is asked."""
        hook(
            root / ".git",
            "pre-push",
            'while read -r _ id ref _; do set -- "$@" "$id:$ref"; done; shift; shift\n'
            'git push --quiet --no-verify --atomic origin "$@"',
        )
        published = release_it()
        assert (
            git(remote, "rev-parse", "refs/tags/v1.0-production")
            == git(root, "rev-parse", "v1.0-production")
            == published.tag
        )

    def test_no_identity(self, monkeypatch: pytest.MonkeyPatch, root: Path, release_it: Release_it) -> None:
        """Without a name for the tag nothing starts: exit code 2."""
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
            monkeypatch.delenv(name)
        before = snapshot(root)
        with pytest.raises(UsageError, match="no identity"):
            release_it()
        assert snapshot(root) == before

    def test_record_of_another_release(self, root: Path, release: Release, config: Config) -> None:
        """Metadata about another commit is never pushed under this tag."""
        message, record = make_record(config, msgspec.structs.replace(release, commit="c" * 40))
        with pytest.raises(UsageError, match=r"not about v1\.0-production"):
            publish(root, release, message=message, record=record, journal=begun(root, release))

    def test_rehearsal_is_never_published(self, root: Path, release: Release, config: Config) -> None:
        """A rehearsal's metadata is refused by the production path."""
        document = make_metadata(rehearsal_plan(config, release.commit))
        with pytest.raises(UsageError, match="never published"):
            publish(
                root,
                release,
                message=tag_message(document),
                record={METADATA_NAME: encode(document)},
                journal=begun(root, release),
            )

    def test_credentials_are_never_shown(self, root: Path, release_it: Release_it) -> None:
        """A token in the remote's address is masked in the message."""
        git(root, "remote", "set-url", "origin", "https://user:s3cret-token@127.0.0.1:1/x.git")
        text = refused(root, release_it)
        assert "s3cret-token" not in text
        assert remotes.address(Git(root), "origin") == "origin (https://***@127.0.0.1:1/x.git)"


class TestRehearsal:
    """A rehearsal leaves one ref outside branches and tags, and two files that git ignores."""

    def rehearse(self, root: Path, config: Config) -> Published:
        """Publish a rehearsal of HEAD."""
        document = make_metadata(rehearsal_plan(config, git(root, "rev-parse", "HEAD")))
        directory = root / "reports" / document["run_id"]
        directory.mkdir(parents=True, exist_ok=True)
        return publish_rehearsal(root, directory, metadata=encode(document), message=tag_message(document), when=WHEN)

    def test_one_ref_and_nothing_else(self, root: Path, remote: Path, config: Config) -> None:
        """Index, HEAD, branches, tags and work tree are as before, and the remote knows nothing of it."""
        before, there = snapshot(root), snapshot(remote)
        published = self.rehearse(root, config)
        after = snapshot(root)
        run = "20251010T121412Z-1a2b"
        assert {name for name in after if name not in before} == {
            f".git/refs/rehearsal/v1.0-production/{run}", METADATA_NAME, f"reports/{run}/{METADATA_NAME}",
        }  # fmt: skip
        assert {name: after[name] for name in before} == before
        assert snapshot(remote) == there
        assert git(root, "cat-file", "-t", published.ref) == "tag"
        assert git(root, "rev-parse", f"{published.ref}^{{commit}}") == git(root, "rev-parse", "HEAD")
        assert git(root, "status", "--porcelain") == ""

    def test_an_ordinary_push_leaves_it_here(self, root: Path, remote: Path, config: Config) -> None:
        """Neither ``git push --all`` nor ``--tags`` carries a rehearsal to the remote."""
        self.rehearse(root, config)
        git(root, "push", "--quiet", "--all", "origin")
        git(root, "push", "--quiet", "--tags", "origin")
        assert git(remote, "for-each-ref", "--format=%(refname)") == "refs/heads/main"

    def test_it_says_so(self, root: Path, config: Config) -> None:
        """Name and message of the tag object and the metadata all say rehearsal."""
        text = git(root, "cat-file", "tag", self.rehearse(root, config).ref)
        assert "\ntag rehearsal/v1.0-production/" in text
        assert "Rehearsal of a release: 2.8 s exec" in text
        assert "REHEARSAL: " in (root / METADATA_NAME).read_text()

    def test_works_without_identity_and_on_a_dirty_tree(
        self, monkeypatch: pytest.MonkeyPatch, root: Path, config: Config
    ) -> None:
        """A newcomer's machine has no git identity and unsaved work; a rehearsal goes on."""
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
            monkeypatch.delenv(name)
        (root / "worker.py").write_text("print('changed')\n")
        self.rehearse(root, config)

    def test_twice_is_once(self, root: Path, config: Config) -> None:
        """Writing the same rehearsal again gives the same ref."""
        assert self.rehearse(root, config) == self.rehearse(root, config)

    def test_a_release_is_no_rehearsal(self, root: Path, config: Config) -> None:
        """Metadata of another profile is refused."""
        document = make_metadata(make_plan(config, git(root, "rev-parse", "HEAD")))
        with pytest.raises(UsageError, match="not a rehearsal's"):
            publish_rehearsal(root, root, metadata=encode(document), message="x", when=WHEN)


class TestReleaseState:
    """The look before the run: the same problems, without a release."""

    def test_fine(self, root: Path, release: Release, config: Config) -> None:
        """Nothing stands in the way of a clean, pushed commit, and looking changes nothing."""
        before = snapshot(root)
        assert release_state(root, release.commit, config) == []
        assert snapshot(root) == before

    def test_all_local_problems_at_once(self, root: Path, config: Config) -> None:
        """Every local problem is named, not only the first."""
        git(root, "tag", "v1.0-production")
        (root / "new").write_text("")
        found = release_state(root, "c" * 40, config)
        assert [any(word in line for line in found) for word in ("not clean", "HEAD moved", "already exists")] == [
            True
        ] * 3

    def test_remote_that_would_not_take_the_push(
        self, root: Path, remote: Path, release: Release, config: Config
    ) -> None:
        """A remote that cannot push atomically is found before an hour's soak, not after it."""
        git(remote, "config", "receive.advertiseAtomic", "false")
        assert "would not take the push" in release_state(root, release.commit, config)[0]

    def test_release_branch_may_be_ahead(
        self, root: Path, remote: Path, tmp_path: Path, release: Release, config: Config
    ) -> None:
        """Work that landed on the branch since does not stand in the way."""
        other = tmp_path / "other"
        git(tmp_path, "clone", "--quiet", remote.as_uri(), str(other))
        commit(other, "next", "x\n")
        git(other, "push", "--quiet", "origin", "main")
        before = snapshot(root)
        assert release_state(root, release.commit, config) == []
        assert snapshot(root) == before

    @pytest.mark.parametrize("version", ["v1..0", "with space", "x.lock", "v1~1", "v1*"])
    def test_impossible_names(self, root: Path, release: Release, config: Config, version: str) -> None:
        """A version that cannot be a tag is refused by name."""
        other = msgspec.structs.replace(config, release=msgspec.structs.replace(config.release, version=version))
        found = release_state(root, release.commit, other)
        assert f"refs/tags/{version} is not a name that git accepts" in found[0]
