"""What a rehearsal proves, of what, and until when."""

import msgspec
import pytest

from go_live.errors import UsageError
from go_live.outcome import Outcome
from go_live.rollback.proof import DAY_S, Proof, parse, proof_verdict
from tests.go_live.rollback.conftest import DIGEST_NOW, DIGEST_THEN, VERSION, target

AT = 1_763_900_000.0
PROOF = Proof(
    version=VERSION,
    tag="b" * 40,
    commit="a" * 40,
    image=DIGEST_THEN,
    scratch="scratch1",
    at=AT,
    boot_s=74.0,
    problems=(),
    scaled_to_zero=True,
)


def test_a_fresh_one_of_this_tag_and_image_passes() -> None:
    """Booted, answered, within a day."""
    verdict = proof_verdict(PROOF, target(), now=AT + DAY_S - 1)
    assert (verdict.outcome, "74 s" in verdict.reason) == (Outcome.PASS, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tag": "c" * 40}, "it names the tag"),
        ({"commit": "c" * 40}, "it names commit"),
        ({"image": DIGEST_NOW}, "it names image"),
        ({"image": ""}, "it names image"),
        ({"version": "v0.8"}, "it names v0.8"),
    ],
)
def test_one_of_something_else_shows_nothing(changes: dict[str, str], said: str) -> None:
    """It is bound to tag, commit and image; another's is NOT_RUN, never a PASS."""
    verdict = proof_verdict(msgspec.structs.replace(PROOF, **changes), target(), now=AT)
    assert verdict.outcome is Outcome.NOT_RUN
    assert said in verdict.reason


@pytest.mark.parametrize(("now", "said"), [(AT + DAY_S + 1, "expired"), (AT - 600, "dated ahead")])
def test_it_has_an_age_limit(now: float, said: str) -> None:
    """Older than a day, or from the future: NOT_RUN."""
    verdict = proof_verdict(PROOF, target(), now=now)
    assert verdict.outcome is Outcome.NOT_RUN
    assert said in verdict.reason


@pytest.mark.parametrize(
    ("proof", "outcome"),
    [
        (None, Outcome.NOT_RUN),
        (msgspec.structs.replace(PROOF, problems=("it never answered",), boot_s=None), Outcome.FAIL),
        (msgspec.structs.replace(PROOF, boot_s=None), Outcome.ERROR),
    ],
    ids=["never rehearsed", "failed", "says nothing"],
)
def test_what_did_not_boot_is_no_pass(proof: Proof | None, outcome: Outcome) -> None:
    """No proof, a failed one and an empty one are each told apart."""
    assert proof_verdict(proof, target(), now=AT).outcome is outcome


def test_an_endpoint_that_was_left_on_is_told() -> None:
    """The way back works, and somebody has to look at the bill."""
    verdict = proof_verdict(msgspec.structs.replace(PROOF, scaled_to_zero=False), target(), now=AT)
    assert "was not seen scaled to zero" in verdict.reason


def test_a_broken_file_is_named() -> None:
    """Half a file is no proof, and no crash."""
    with pytest.raises(UsageError, match=r"rehearsal-x\.json is no proof"):
        parse(msgspec.json.encode(PROOF)[:-9], "rehearsal-x.json")
