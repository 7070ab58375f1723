"""The one write that goes back: what it sends, and what it must never touch."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from go_live.management.models import EndpointUpdate, Template
from go_live.rollback.changes import doubts, environment_then, problems, way_to
from go_live.rollback.execute import calls
from tests.go_live.rollback.conftest import DIGEST_THEN, NOW, SECRET, THEN, endpoint, ran, target
from worker.settings import PARSERS

SETTINGS = st.dictionaries(st.sampled_from(sorted(PARSERS)), st.text(max_size=5))
OTHERS = st.dictionaries(st.sampled_from(["HF_TOKEN", "NCCL_DEBUG", "TEAM"]), st.text(max_size=5))


def template(**changes: object) -> Template:
    """The template of the release."""
    known = {"id": "tpl-then", "name": "then", "image": THEN, "serverless": True, "env": {"HF_TOKEN": "old"}}
    return msgspec.convert({**known, **changes}, Template)


def test_by_image_with_the_settings_of_then() -> None:
    """Image and the worker's settings become those of the release; nothing else is sent."""
    way = way_to(target(), endpoint(), None)
    assert (way.how, way.update.image) == ("image", THEN)
    assert way.update.env == {"MAX_MODEL_LEN": "2048", "HF_TOKEN": SECRET}
    sent = {name for name in way.update.__struct_fields__ if getattr(way.update, name) is not UNSET}
    assert sent == {"image", "env"}


@given(then=SETTINGS, now=SETTINGS, others=OTHERS, brought=OTHERS, stale=SETTINGS)
def test_secrets_stay_and_settings_return(
    then: dict[str, str], now: dict[str, str], others: dict[str, str], brought: dict[str, str], stale: dict[str, str]
) -> None:
    """Whatever endpoint and template hold: afterwards the worker's settings are those of then, secrets those of now."""
    there = target(deployed=ran(env=then))
    env = environment_then(there, {**now, **others}, {**brought, **stale})
    assert {name: value for name, value in env.items() if name in PARSERS} == then
    assert {name: value for name, value in env.items() if name not in PARSERS} == {**brought, **others}


@given(now=SETTINGS, others=OTHERS)
def test_the_present_builds_name_does_not_outlive_it(now: dict[str, str], others: dict[str, str]) -> None:
    """Without a record the settings stay, but for those that name the build: they would make the probe lie."""
    env = environment_then(target(deployed=None), {**now, **others}, {})
    gone = {"GIT_COMMIT", "IMAGE_DIGEST"}
    assert env == {name: value for name, value in {**now, **others}.items() if name not in gone}


def test_a_rotated_secret_does_not_come_back_with_a_template() -> None:
    """By template, the secrets of now are sent over those that the template holds."""
    there = target(image="", deployed=None)
    way = way_to(there, endpoint(), template())
    assert way.how == "template"
    assert way.update == EndpointUpdate(template_id="tpl-then", env={"MAX_MODEL_LEN": "4096", "HF_TOKEN": SECRET})


@pytest.mark.parametrize(
    "changes", [{"image": NOW}, {"serverless": False}], ids=["holds another image now", "is not serverless"]
)
def test_a_template_that_cannot_serve_is_no_way(changes: dict[str, object]) -> None:
    """A template is a way only while it is serverless and holds the release's image."""
    there = target(image=DIGEST_THEN, deployed=None)
    assert way_to(there, endpoint(image="registry.example/worker:latest"), template(**changes)).how == "unknown"


def test_a_digest_alone_is_looked_for_in_the_endpoints_repository() -> None:
    """What is known by digest alone gets the name of what runs now."""
    way = way_to(target(image=DIGEST_THEN, deployed=None), endpoint(), None)
    assert way.update.image == THEN


def test_nothing_is_written_where_nothing_differs() -> None:
    """Repeating a rollback that was written already sends nothing."""
    there = endpoint(image=THEN, env={"MAX_MODEL_LEN": "2048", "HF_TOKEN": SECRET})
    way = way_to(target(), there, None)
    assert (way.how, way.update, way.changes) == ("none", EndpointUpdate(), ())
    assert calls("e", "https://api", way) == ["nothing is written: the endpoint is set to this release already"]


def test_bounds_and_scaler_stay_and_are_told() -> None:
    """Whoever raised workersMax to live through the incident keeps it; on-call sees that it was another then."""
    way = way_to(target(), endpoint(workers={"min": 2, "max": 9}), None)
    assert way.update.workers is UNSET
    assert way.stays == ("workers_max: 9 (then 5)",)


def test_no_secret_is_shown() -> None:
    """Neither changes, nor calls, nor any repr shows the value of a variable that is no worker setting."""
    there = target(deployed=ran(env={"MAX_MODEL_LEN": "2048"}))
    way = way_to(there, endpoint(), template(env={"HF_TOKEN": "the-old-secret"}))
    shown = "\n".join([*way.changes, *calls("e", "https://api", way), repr(way), repr(way.update)])
    assert "MAX_MODEL_LEN" in shown
    assert SECRET not in shown
    assert "the-old-secret" not in shown


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ({"workers": {"min": 0, "max": 0}}, {}, "workersMax is 0"),
        ({"id": "another"}, {}, "was measured on endpoint 4cqta56swdioxi"),
        ({"gpu": {"pools": ["AMPERE_24"]}}, {}, "was measured on ADA_24"),
        ({}, {"env": {"MAX_MODEL_LEN": "none"}}, "the environment would not do"),
        ({}, {"env": {"MAX_MODEL_LEN": "4096", "MAX_NUM_BATCHED_TOKENS": "512"}}, "below MAX_MODEL_LEN"),
    ],
)
def test_what_forbids_it(now: dict[str, object], then: dict[str, object], said: str) -> None:
    """Each incompatibility is named."""
    there = target(deployed=ran(**then))
    live = endpoint(**now)
    found = problems(there, live, way_to(there, live, None))
    assert found
    assert said in found[0]


def test_what_fits_has_neither_problem_nor_doubt() -> None:
    """The healthy pair."""
    way = way_to(target(), endpoint(), None)
    assert (problems(target(), endpoint(), way), doubts(target(), endpoint(), way)) == ([], [])


def test_a_variable_that_is_missing_now_is_a_doubt() -> None:
    """It ran with a token that is not set any more: whether it starts without is not known."""
    live = endpoint(env={"MAX_MODEL_LEN": "4096"})
    assert doubts(target(), live, way_to(target(), live, None)) == ["it ran with HF_TOKEN set, which is not set now"]
