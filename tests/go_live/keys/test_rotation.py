"""Each answer to a key has its own name, and only the whole protocol passes."""

import msgspec
import pytest

from go_live.jobs.transport import Reply
from go_live.keys.probe import Answer, Said, read_answer
from go_live.keys.rotation import Exposed, Facts, Previous, judge
from go_live.outcome import Outcome, worst

WORKS, REFUSED = Said(Answer.WORKS, "HTTP 200"), Said(Answer.REFUSED, "HTTP 401")
DONE = Facts(
    new=WORKS,
    old=REFUSED,
    same=False,
    previous=Previous(version="v1", recorded=True, is_old=True, is_new=False),
    first_release=False,
    exposed=Exposed(count=0),
    deployed={"gateway": "same", "CI": "same"},
    old_env="RUNPOD_OLD_API_KEY",
)


def judged(**changes: object) -> tuple[Outcome, str]:
    """The worst outcome with these facts, and its reason."""
    verdicts = judge(msgspec.structs.replace(DONE, **changes))
    outcome = worst(one.outcome for one in verdicts)
    return outcome, next(one.reason for one in verdicts if one.outcome is outcome)


def test_a_whole_rotation_passes() -> None:
    """New key works, old key refused and recorded, nothing exposed, both callers deployed."""
    assert {one.outcome for one in judge(DONE)} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"new": REFUSED}, Outcome.FAIL, "the new key: refused"),
        ({"new": Said(Answer.FORBIDDEN, "HTTP 403")}, Outcome.FAIL, "forbidden"),
        ({"new": Said(Answer.UNREACHABLE, "no route")}, Outcome.ERROR, "not reached"),
        ({"new": Said(Answer.NOT_THE_API, "HTML")}, Outcome.ERROR, "not the API's"),
        ({"old": None}, Outcome.INCONCLUSIVE, "RUNPOD_OLD_API_KEY"),
        ({"old": WORKS}, Outcome.FAIL, "disable and delete"),
        ({"old": Said(Answer.FORBIDDEN, "HTTP 403")}, Outcome.INCONCLUSIVE, "may still be enabled"),
        ({"old": Said(Answer.NOT_FOUND, "HTTP 404")}, Outcome.INCONCLUSIVE, "not refused with 401"),
        ({"old": Said(Answer.OTHER, "HTTP 400")}, Outcome.INCONCLUSIVE, "not refused with 401"),
        ({"old": Said(Answer.THROTTLED, "HTTP 429")}, Outcome.ERROR, "throttled"),
        ({"old": Said(Answer.BROKEN, "HTTP 503")}, Outcome.ERROR, "server error"),
        ({"old": Said(Answer.NOT_THE_API, "HTTP 401 with a page of HTML")}, Outcome.ERROR, "not the API's"),
        ({"old": Said(Answer.UNREACHABLE, "no route")}, Outcome.ERROR, "not reached"),
        ({"same": True}, Outcome.FAIL, "same"),
        ({"exposed": Exposed(count=2)}, Outcome.FAIL, "2 found"),
        ({"exposed": Exposed(count=0, trouble="unreadable")}, Outcome.ERROR, "unreadable"),
        ({"deployed": {"gateway": "other"}}, Outcome.FAIL, "gateway uses another key"),
        ({"deployed": {"CI": "not given"}}, Outcome.INCONCLUSIVE, "fingerprint of CI's key was not given"),
        ({"previous": None}, Outcome.INCONCLUSIVE, "no earlier release is recorded"),
        ({"previous": None, "first_release": True, "old": None}, Outcome.INCONCLUSIVE, "no old key"),
        (
            {"previous": Previous(version="v1", recorded=False, is_old=None, is_new=False)},
            Outcome.INCONCLUSIVE,
            "no fi",
        ),
        ({"previous": Previous(version="v1", recorded=True, is_old=False, is_new=False)}, Outcome.FAIL, "not the one"),
        ({"previous": Previous(version="v1", recorded=True, is_old=True, is_new=True)}, Outcome.FAIL, "nothing was ro"),
        (
            {"previous": Previous(version="v1", recorded=True, is_old=None, is_new=False)},
            Outcome.INCONCLUSIVE,
            "no old",
        ),
    ],
)
def test_anything_less_does_not(changes: dict[str, object], outcome: Outcome, reason: str) -> None:
    """Each step that is missing, failed or could not be seen has its own outcome and reason."""
    said = judged(**changes)
    assert said[0] is outcome
    assert reason in said[1]


def test_a_first_release_says_so() -> None:
    """A first release has no earlier fingerprint, and may declare callers that do not exist yet."""
    verdicts = judge(
        msgspec.structs.replace(DONE, previous=None, first_release=True, deployed={"gateway": "not yet", "CI": "same"})
    )
    assert worst(one.outcome for one in verdicts) is Outcome.PASS
    assert any("first release: no previous fingerprint" in one.reason for one in verdicts)
    assert [one.outcome for one in verdicts].count(Outcome.NOT_APPLICABLE) == 1


def test_an_api_that_refuses_everybody_proves_nothing() -> None:
    """A 401 to the old key counts only while the new key works."""
    verdicts = judge(msgspec.structs.replace(DONE, new=REFUSED))
    assert verdicts[1].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("status", "kind", "body", "answer"),
    [
        (200, "application/json", b'{"jobs": {}, "workers": {}}', Answer.WORKS),
        (200, "application/json", b"[{}]", Answer.WORKS),
        (200, "application/json", b"", Answer.NOT_THE_API),
        (200, "text/plain", b"pong", Answer.NOT_THE_API),
        (200, "text/html", b"<html>", Answer.NOT_THE_API),
        (401, "application/json", b'{"status":401,"title":"Unauthorized"}', Answer.REFUSED),
        (401, "", b"", Answer.REFUSED),
        (401, "text/plain", b"Unauthorized", Answer.REFUSED),
        (401, "text/html", b"<html>proxy</html>", Answer.NOT_THE_API),
        (403, "application/json", b"{}", Answer.FORBIDDEN),
        (403, "text/plain", b"<!DOCTYPE html> error 1010", Answer.NOT_THE_API),
        (404, "application/json", b"{}", Answer.NOT_FOUND),
        (429, "application/json", b"{}", Answer.THROTTLED),
        (500, "application/json", b"{}", Answer.BROKEN),
        (524, "text/html", b"<html>", Answer.NOT_THE_API),
        (302, "", b"", Answer.OTHER),
    ],
)
def test_each_answer_has_its_name(status: int, kind: str, body: bytes, answer: Answer) -> None:
    """401 is refused with any body but a page; 403, 429, 5xx and HTML are each their own."""
    assert read_answer(Reply(status, kind, body)).answer is answer
