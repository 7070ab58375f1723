"""The decision that a gateway acts on: read again on change, kept where its file is broken, known after a restart."""

import asyncio
import json
import logging
from collections import Counter
from pathlib import Path

import pytest

from go_live.errors import UsageError
from go_live.gateway.routes import MOST_BYTES, RouteFiles, Routes, keep_looking
from go_live.gateway.routing import sign
from tests.go_live.gateway.decisions import NOW, PINNED, STRANGER, decision, files, pin, publish, touched

ENDPOINTS = ("blue", "green", "red")


class At:
    """Routes at a time that a test sets."""

    def __init__(self, where: RouteFiles) -> None:
        """At NOW."""
        self.now = NOW
        self.routes = Routes(where, ENDPOINTS, wall=lambda: self.now)

    def share(self) -> int:
        """The candidate's share after another look."""
        self.routes.look()
        return self.routes.percent()


@pytest.fixture
def where(tmp_path: Path) -> RouteFiles:
    """The two files, of which the decision is not there yet."""
    return files(tmp_path)


def test_without_a_file_everything_goes_where_it_was_asked_to(where: RouteFiles) -> None:
    """No file: no arm and no route, for any endpoint."""
    chosen = At(where).routes.choose("blue", "web")
    assert (chosen.endpoint, chosen.route, chosen.arm) == ("blue", None, None)


def test_a_decision_is_taken_up_and_followed(where: RouteFiles) -> None:
    """Each newer decision is in force at the next look; only who asks for its route is split."""
    at = At(where)
    publish(where.decision, decision(10, 1))
    assert at.share() == 10
    publish(where.decision, decision(50, 2))
    assert at.share() == 50
    chosen = [at.routes.choose("blue", "web") for _ in range(1000)]
    assert abs(Counter(one.endpoint for one in chosen)["green"] - 500) <= 5
    assert {(one.route, one.rollout, one.serial) for one in chosen} == {("blue", "r1", 2)}
    assert all(one.endpoint == {"current": "blue", "candidate": "green"}[one.arm or "current"] for one in chosen)
    assert {at.routes.choose(name, "web").endpoint for name in ("green", "red")} == {"green", "red"}
    publish(where.decision, decision(0, 3, outcome="fail", valid_until=None))
    assert at.share() == 0
    assert {at.routes.choose("blue", "web").endpoint for _ in range(200)} == {"blue"}


def test_a_renewal_is_not_told(where: RouteFiles, caplog: pytest.LogCaptureFixture) -> None:
    """The log tells what changes, on one line each; the same share for longer is no news, after its end it is."""
    caplog.set_level(logging.INFO)
    at = At(where)
    for serial, percent, until in ((1, 10, 60), (2, 10, 80), (3, 50, 80), (4, 50, 100)):
        publish(where.decision, decision(percent, serial, valid_until=NOW + until))
        assert at.share() == percent
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("route blue")]
    assert [line.partition(" to green")[0] for line in told] == ["route blue: 10 %", "route blue: 50 %"]
    at.now = NOW + 100
    at.share()
    publish(where.decision, decision(50, 5, valid_until=NOW + 200))
    assert at.share() == 50
    assert caplog.text.count("route blue: 50 %") == 2


def test_by_caller(where: RouteFiles) -> None:
    """Sticky: a caller has one arm, and who was moved at 10 % is still moved at 50 %."""
    at = At(where)
    names = [f"caller {number}" for number in range(200)]
    moved = []
    for serial, percent in enumerate((10, 50), start=1):
        publish(where.decision, decision(percent, serial, sticky=True))
        at.share()
        arms = {name: {at.routes.choose("blue", name).arm for _ in range(3)} for name in names}
        assert all(len(each) == 1 for each in arms.values())
        moved.append({name for name, each in arms.items() if each == {"candidate"}})
    assert moved[0]
    assert moved[0] < moved[1]


def test_a_decision_ends_with_its_time(where: RouteFiles, caplog: pytest.LogCaptureFixture) -> None:
    """When nobody has decided again by then, everything goes to current, and the log says so once."""
    publish(where.decision, decision(50, 1, valid_until=NOW + 60))
    at = At(where)
    assert at.share() == 50
    at.now = NOW + 60
    assert [at.share(), at.share()] == [0, 0]
    assert {at.routes.choose("blue", "web").arm for _ in range(50)} == {"current"}
    assert caplog.text.count("decision 1 has expired: everything goes to blue") == 1


def test_a_decision_that_comes_too_late_sends_nobody(where: RouteFiles) -> None:
    """One whose time is up already is the newest word all the same: the share before it does not come back."""
    at = At(where)
    publish(where.decision, decision(50, 1))
    assert at.share() == 50
    publish(where.decision, decision(100, 2, valid_until=NOW - 1))
    assert at.share() == 0
    publish(where.decision, decision(50, 1))
    assert at.share() == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "no DSSE envelope"),
        (b"", "no DSSE envelope"),
        (b" " * (MOST_BYTES + 1), "larger than"),
        (sign(decision(100, 9), STRANGER), "not pinned"),
        (json.dumps(json.loads(sign(decision(100, 9), PINNED)) | {"signatures": []}).encode(), "no signature"),
        (sign(decision(100, 4), PINNED), "decision 4 is not newer than 5"),
        (sign(decision(100, 5), PINNED), "decision 5 is not newer than 5"),
        (sign(decision(100, 9, candidate="elsewhere"), PINNED), "'elsewhere' is not behind this gateway"),
        (sign(decision(100, 9, current="elsewhere"), PINNED), "'elsewhere' is not behind this gateway"),
        (sign(decision(100, 9, current="red"), PINNED), "it is about the route red"),
    ],
)
def test_what_is_refused_changes_nothing(
    where: RouteFiles, caplog: pytest.LogCaptureFixture, content: bytes, why: str
) -> None:
    """A broken file, a stranger's, an older or a foreign decision: the last good one stays, and the log says why."""
    publish(where.decision, decision(10, 5))
    at = At(where)
    touched(where.decision, content)
    assert at.share() == 10
    assert why in caplog.text
    assert "decision 5 stays in force" in caplog.text
    publish(where.decision, decision(50, 6))
    assert at.share() == 50


def test_a_file_that_is_gone_is_the_way_out(where: RouteFiles, caplog: pytest.LogCaptureFixture) -> None:
    """Deleting it sends everything to current until a newer decision comes: the last serial is still known."""
    publish(where.decision, decision(50, 5))
    at = At(where)
    where.decision.unlink()
    assert at.share() == 0
    assert "is gone" in caplog.text
    publish(where.decision, decision(100, 4))
    assert at.share() == 0
    assert "not newer than 5; none is in force" in caplog.text
    publish(where.decision, decision(10, 6))
    assert at.share() == 10


def test_a_restart_forgets_nothing(where: RouteFiles, caplog: pytest.LogCaptureFixture) -> None:
    """A gateway that begins again knows the last serial, and goes on with its decision where the file is broken."""
    publish(where.decision, decision(10, 5))
    assert At(where).share() == 10
    publish(where.decision, decision(100, 4))
    assert At(where).share() == 10
    assert "not newer than 5" in caplog.text
    where.decision.write_bytes(b"{")
    assert At(where).share() == 10
    where.decision.unlink()
    assert At(where).share() == 0


def test_what_is_remembered_is_believed_only_if_signed(where: RouteFiles, caplog: pytest.LogCaptureFixture) -> None:
    """A memory that somebody edited is not acted on, and the log says that it is lost."""
    where.decision.write_bytes(b"{")
    publish(where.decision.with_name("route.json.accepted"), decision(100, 9), STRANGER)
    assert At(where).share() == 0
    assert "not known any more" in caplog.text


def test_a_full_disk_keeps_no_decision_from_being_acted_on(
    where: RouteFiles, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Where the memory cannot be written the decision counts, and the log says what a restart will forget."""
    (tmp_path / "route.json.accepted").mkdir()
    publish(where.decision, decision(10, 1))
    assert At(where).share() == 10
    assert "a restart forgets the last decision" in caplog.text


def test_signers_are_read_again(where: RouteFiles, caplog: pytest.LogCaptureFixture) -> None:
    """Who is pinned no more loses what he decided, who is pinned anew is believed; an empty file changes nothing."""
    publish(where.decision, decision(50, 5))
    at = At(where)
    touched(where.signers, pin(STRANGER).encode())
    assert at.share() == 0
    assert "decision 5 is in force no more" in caplog.text
    publish(where.decision, decision(100, 4), STRANGER)
    assert at.share() == 0, "an older decision came back"
    publish(where.decision, decision(10, 6), STRANGER)
    assert at.share() == 10
    touched(where.signers, b"# nobody\n")
    assert at.share() == 10
    assert "pins nobody" in caplog.text


def test_what_was_refused_is_believed_once_its_signer_is_pinned(where: RouteFiles) -> None:
    """A decision that came before its signer's line is taken up once that is there; nobody has to write it again."""
    at = At(where)
    publish(where.decision, decision(10, 1), STRANGER)
    assert at.share() == 0
    touched(where.signers, (pin(PINNED) + pin(STRANGER)).encode())
    assert at.share() == 10


async def test_a_look_that_fails_is_not_the_last(where: RouteFiles, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever one look meets, later decisions are read all the same, and the log has the trace."""
    seen: list[int] = []
    done = asyncio.Event()

    def tell(routes: Routes) -> None:
        seen.append(routes.percent())
        if len(seen) == 1:
            publish(where.decision, decision(10, 1))
            raise RuntimeError("a bug")
        done.set()

    following = asyncio.create_task(keep_looking(At(where).routes, tell))
    async with asyncio.timeout(10):
        await done.wait()
    following.cancel()
    assert seen == [0, 10]
    assert "a bug" in caplog.text


def test_signers_are_needed(where: RouteFiles) -> None:
    """Without a readable signers file, or with one that pins nobody, a gateway does not begin."""
    where.signers.write_text("# nobody\n")
    with pytest.raises(UsageError, match="pins nobody"):
        At(where)
    where.signers.unlink()
    with pytest.raises(UsageError, match="--rollout-signers"):
        At(where)
