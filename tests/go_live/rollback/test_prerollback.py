"""What on-call is told before a rollback, from a real signed release, over real sockets."""

import socket
import time
from pathlib import Path

import msgspec
import pytest

from go_live.errors import ExitCode
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.outcome import Outcome
from go_live.rollback import prerollback
from go_live.rollback.findings import Name
from go_live.rollback.looks import proof_path
from go_live.rollback.prerollback import Seen
from go_live.rollback.proof import Proof
from go_live.rollback.registry import TIMEOUT_S
from go_live.rollback.screen import screen
from tests.go_live.release.conftest import WHEN, git
from tests.go_live.release.releases import new_key, pin, signed_by
from tests.go_live.rollback.conftest import DIGEST_THEN, KEY, SECRET, VERSION, Placed


def outcome(seen: Seen, name: Name) -> Outcome:
    """What a look found."""
    return next(finding.outcome for finding in seen.answer.findings if finding.name == name)


async def test_a_verified_release_that_is_still_there_is_ready(placed: Placed) -> None:
    """READY, exit 0: verified, pullable, compatible; and what would change is told without any secret."""
    async with placed() as place:
        seen = await place.look()
        shown = "\n".join(line for line, _ in screen(seen.answer))
    assert (seen.answer.word, seen.answer.exit_code) == ("READY", ExitCode.GO), seen.answer
    assert shown.startswith(f"READY {VERSION}")
    assert "MAX_MODEL_LEN: 4096 -> 2048" in shown
    assert "2.8 s exec, 3.5 s total p50" in shown
    assert SECRET not in shown
    assert SECRET not in msgspec.json.encode(seen.answer).decode()
    assert seen.way is not None
    assert seen.way.env["HF_TOKEN"] == SECRET


async def test_that_the_live_endpoint_is_down_is_nothing_against_going_back(placed: Placed) -> None:
    """The current release answers with a page of the edge: that is told, and the answer is READY all the same."""
    async with placed(health=502) as place:
        seen = await place.look()
    assert outcome(seen, "endpoint") is Outcome.ERROR
    assert seen.answer.word == "READY"


async def test_an_image_that_is_gone_stops(placed: Placed) -> None:
    """The registry says 404 and the template is gone: STOP, exit 1."""
    async with placed(holds=False, templates=()) as place:
        seen = await place.look()
    assert (seen.answer.exit_code, outcome(seen, "image")) == (ExitCode.NO_GO, Outcome.FAIL)
    assert "no such image" in seen.answer.reason


async def test_a_registry_that_shows_nothing_leaves_it_to_the_template(placed: Placed) -> None:
    """A private registry does not say that the image is gone; the template that holds it is still there."""
    async with placed(guarded="closed") as place:
        seen = await place.look()
    assert (seen.answer.word, outcome(seen, "image")) == ("READY", Outcome.PASS)


async def test_a_private_registry_without_a_template_is_unsure(placed: Placed) -> None:
    """Nothing shows that the image is still there, and nothing that it is gone: UNSURE, exit 3."""
    async with placed(guarded="closed", templates=()) as place:
        seen = await place.look()
    assert (seen.answer.word, seen.answer.exit_code) == ("UNSURE", ExitCode.INCONCLUSIVE)


async def test_a_template_that_holds_another_image_now_shows_nothing(placed: Placed) -> None:
    """A template is changed by every write to its endpoint: its being there is no proof of the release's image."""
    async with placed(guarded="closed") as place:
        template = place.double._templates["tpl-then"]  # the platform changes it
        template["image"] = place.registry.image("sha256:" + "ef" * 32)
        seen = await place.look()
    assert outcome(seen, "image") is Outcome.INCONCLUSIVE


async def test_an_edited_tag_stops(placed: Placed) -> None:
    """The ref was moved onto another commit by a tag that nobody signed: STOP, for that reason."""
    async with placed() as place:
        message = git(place.root, "cat-file", "tag", VERSION).partition("\n\n")[2].partition("-----BEGIN")[0]
        git(place.root, "tag", "--annotate", "--force", "--message", message, VERSION, "HEAD~1")
        seen = await place.look()
    assert (seen.answer.exit_code, outcome(seen, "tag")) == (ExitCode.NO_GO, Outcome.FAIL)


async def test_a_tag_that_is_nowhere_stops(placed: Placed) -> None:
    """A mistyped name is neither here nor on the remote: STOP."""
    async with placed() as place:
        seen = await place.look(version="v0.1-typo")
    assert seen.answer.exit_code is ExitCode.NO_GO
    assert "v0.1-typo" in seen.answer.reason


async def test_a_tag_that_was_not_fetched_is_read_from_the_remote(placed: Placed) -> None:
    """On-call's clone is old: the remote is asked, no ref is written, and the answer is READY."""
    async with placed() as place:
        git(place.root, "tag", "--delete", VERSION)
        seen = await place.look()
        tags = git(place.root, "tag", "--list")
    assert (seen.answer.word, tags) == ("READY", "")


async def test_a_record_that_cannot_be_fetched_is_blind_and_no_stop(placed: Placed) -> None:
    """The git host is down and the clone lacks the record: nothing is shown to be wrong, nothing to be right."""
    async with placed() as place:
        git(place.root, "update-ref", "-d", "refs/remotes/origin/releases")
        git(place.root, "remote", "set-url", "origin", str(place.root / "nowhere.git"))
        seen = await place.look()
    assert (seen.answer.word, outcome(seen, "tag")) == ("BLIND", Outcome.ERROR)
    assert "the remote could not be asked" in seen.answer.reason


async def test_a_tag_that_quotes_a_record_which_is_gone_stops(placed: Placed) -> None:
    """It claims a record, and the remote has none: that is no tag made without golive."""
    async with placed() as place:
        git(place.root, "update-ref", "-d", "refs/remotes/origin/releases")
        bare = place.root.with_name("emptied.git")
        git(place.root, "clone", "--quiet", "--bare", "--branch", "main", "--single-branch", str(place.root), str(bare))
        git(bare, "fetch", "--quiet", str(place.root), f"refs/tags/{VERSION}:refs/tags/{VERSION}")
        git(place.root, "remote", "set-url", "origin", bare.as_uri())
        seen = await place.look()
    assert (seen.answer.word, outcome(seen, "tag")) == ("STOP", Outcome.FAIL)


async def test_a_tag_made_without_golive_is_unsure_at_best(placed: Placed) -> None:
    """Of a plain tag it is said what could not be checked; with an image named by hand the way back is known."""
    async with placed() as place:
        git(place.root, "tag", "--annotate", "--message", "The one that worked", "v0.8", "HEAD~1")
        bare = await place.look(version="v0.8")
        named = await place.look(version="v0.8", image=place.registry.image(DIGEST_THEN))
    assert (bare.answer.word, bare.answer.how) == ("UNSURE", "unknown")
    assert "made without golive" in bare.answer.findings[0].reason
    assert {one.name for one in bare.answer.unknown} >= {"tag", "image", "settings", "measured"}
    assert (named.answer.word, named.answer.how, outcome(named, "image")) == ("UNSURE", "image", Outcome.PASS)


async def test_a_lightweight_tag_is_looked_at_too(placed: Placed) -> None:
    """A tag that is no object says neither who nor when: UNSURE, not a crash."""
    async with placed() as place:
        git(place.root, "tag", "v0.7", "HEAD~1")
        seen = await place.look(version="v0.7")
    assert (seen.answer.word, seen.target.commit) == ("UNSURE", git(place.root, "rev-parse", "HEAD~1"))


async def test_without_the_management_api_it_is_blind(placed: Placed) -> None:
    """What the endpoint runs could not be read: BLIND, exit 4, and the tag's own findings stand beside it."""
    async with placed() as place:
        place.double.mishaps.add(Mishap(kind="status", status=503, times=20))
        seen = await place.look()
    assert (seen.answer.word, seen.answer.exit_code) == ("BLIND", ExitCode.NOT_MEASURED)
    assert (outcome(seen, "settings"), outcome(seen, "tag")) == (Outcome.ERROR, Outcome.PASS)


async def test_a_key_that_is_refused_is_named(placed: Placed) -> None:
    """401 is neither READY nor STOP: it is BLIND, and the remedy is told without the key."""
    async with placed() as place:
        place.double.mishaps.add(Mishap(kind="status", status=401, times=20))
        seen = await place.look()
    assert seen.answer.word == "BLIND"
    assert "API key" in seen.answer.reason
    assert KEY not in msgspec.json.encode(seen.answer).decode()


async def test_an_endpoint_that_is_switched_off_stops(placed: Placed) -> None:
    """After a week without requests workersMax is 0: no image would start, and the remedy is named."""
    async with placed(idle_days=8) as place:
        seen = await place.look()
    assert (seen.answer.word, outcome(seen, "settings")) == ("STOP", Outcome.FAIL)
    assert "golive config apply" in seen.answer.reason


async def test_whom_to_believe_is_not_pinned_is_blind(placed: Placed) -> None:
    """Without a signers file nothing of the release is believed, and the endpoint is looked at all the same."""
    async with placed() as place:
        signing = msgspec.structs.replace(place.config.signing, signers={"production": "nowhere"})
        seen = await place.look(config=msgspec.structs.replace(place.config, signing=signing))
    assert (seen.answer.word, seen.target.verified) == ("BLIND", False)
    assert "nowhere" in seen.answer.reason


async def test_whom_to_believe_can_be_named(placed: Placed, tmp_path: Path) -> None:
    """A signers file of strangers is believed when it is named, and the release is refused by it."""
    strangers = pin(tmp_path / "strangers", signed_by(new_key(tmp_path / "key")))
    async with placed() as place:
        seen = await place.look(signers=strangers)
    assert (seen.answer.word, outcome(seen, "tag")) == ("STOP", Outcome.FAIL)


async def test_a_rehearsal_that_failed_stops(placed: Placed) -> None:
    """The target was booted yesterday and did not answer: going back to it would not help."""
    async with placed() as place:
        known = await place.look()
        tag, commit = known.target.tag, known.target.commit
        proof = Proof(
            version=VERSION,
            tag=tag,
            commit=commit,
            image=DIGEST_THEN,
            scratch="s",
            at=WHEN + 1.5 * 86_400,
            boot_s=None,
            problems=("it never answered",),
            scaled_to_zero=True,
        )
        path = proof_path(place.root, VERSION)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.encode(proof))
        seen = await place.look()
    assert (known.answer.word, seen.answer.word) == ("READY", "STOP")
    assert "never answered" in seen.answer.reason


async def test_looks_that_hang_end_within_their_bound(placed: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registry and management API accept and never answer: BLIND when the bound is up, not later."""
    monkeypatch.setattr(prerollback, "LOOK_S", 0.6)
    monkeypatch.setattr(prerollback, "CALL_S", 0.6)
    async with placed(guarded="hang") as place:
        place.double.mishaps.add(Mishap(kind="hang", times=20))
        began = time.monotonic()
        seen = await place.look()
        took = time.monotonic() - began
    assert seen.answer.word == "BLIND"
    assert took < 4


async def test_a_git_host_that_hangs_is_left_behind(placed: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remote accepts and never answers: BLIND when the bound is up, and the loop goes on meanwhile."""
    monkeypatch.setattr(prerollback, "VERIFY_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with placed() as place:
            git(place.root, "tag", "--delete", VERSION)
            git(place.root, "remote", "set-url", "origin", f"git://127.0.0.1:{silent.getsockname()[1]}/x")
            began = time.monotonic()
            seen = await place.look()
            took = time.monotonic() - began
    assert (seen.answer.word, outcome(seen, "tag"), outcome(seen, "endpoint")) == ("BLIND", Outcome.ERROR, Outcome.PASS)
    assert took < 5


def test_the_bounds_keep_what_is_promised() -> None:
    """The tag's bound, then that of the looks which wait for it, are within 30 s together, beside one call's."""
    assert prerollback.VERIFY_S + prerollback.CALL_S + TIMEOUT_S < 30
    assert prerollback.LOOK_S + TIMEOUT_S < 30
