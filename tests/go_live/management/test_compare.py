"""Declared against live: every difference is a row that says so, and nothing that was not told passes."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.config import ExpectedEndpoint
from go_live.management.change import cannot_set, change_for, is_empty, makes_a_release
from go_live.management.compare import compare
from go_live.management.models import (
    Endpoint,
    Gpu,
    GpuChange,
    QueueDelay,
    ReleaseList,
    RequestCount,
    Rollout,
    Worker,
    WorkerList,
    Workers,
    WorkerSummary,
)
from go_live.management.table import Live, Row, Told
from go_live.management.view import answer, difference, lines
from go_live.outcome import Outcome

DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
IMAGE = f"ghcr.io/team/worker@{DIGEST}"
CARD = "NVIDIA GeForce RTX 4090"
EXPECTED = ExpectedEndpoint(
    workers_min=2,
    workers_max=5,
    scaler_type="REQUEST_COUNT",
    scaler_value=1,
    idle_timeout_s=180,
    execution_timeout_s=600,
    flashboot=True,
    gpu=CARD,
)
COUNTS = WorkerSummary(running=0, idle=1, initializing=0, throttled=0, unhealthy=0, total=1)


def endpoint(**changes: Any) -> Endpoint:
    """The declared endpoint, with some members otherwise."""
    healthy = Endpoint(
        id="x",
        name="x",
        workers=Workers(min=2, max=5),
        scaling=RequestCount(request_count=1),
        timeout=600_000,
        flashboot="FLASHBOOT",
        created_at="2026-01-01T00:00:00Z",
        image=IMAGE,
        env={"MAX_MODEL_LEN": "4096", "MAX_NUM_BATCHED_TOKENS": "4096"},
        gpu=Gpu(pools=("ADA_24",)),
    )
    return msgspec.structs.replace(healthy, **changes)


def live(found: Endpoint | None = None, *, idle: Told | None = None, card: str | None = CARD, **changes: Any) -> Live:
    """The live endpoint with one worker, everything as declared but ``changes``."""
    worker = Worker(id="w1", status="IDLE", is_stale=False, gpu_count=1, version=3, image=IMAGE, gpu_type_id=card)
    rollout = Rollout(in_progress=False, workers_on_latest=1, workers_total=1, percent_on_latest=100)
    return Live(
        endpoint=found or endpoint(**changes),
        workers=WorkerList(workers=(worker,), summary=COUNTS, endpoint_version=3),
        releases=ReleaseList(rollout=rollout, releases=(), endpoint_version=3),
        idle=idle or Told(seconds=180),
    )


def wrong(rows: tuple[Row, ...]) -> dict[str, tuple[Outcome, str]]:
    """Rows that did not pass."""
    return {row.setting: (row.outcome, row.reason) for row in rows if row.outcome is not Outcome.PASS}


def test_the_declared_endpoint_passes() -> None:
    """Every row of an endpoint that is as declared is a PASS, and there is one for each setting."""
    rows = compare(EXPECTED, live())
    assert wrong(rows) == {}
    assert {row.item for row in rows} == {"INF-1", "INF-2", "INF-3", "INF-4", "INF-8"}
    assert answer("x", rows) == f"endpoint x is as declared: {len(rows)} settings"


DIFFERENCES: list[tuple[dict[str, Any], str, str]] = [
    ({"workers": Workers(min=1, max=5)}, "workersMin", "workersMin is 1, declared is 2"),
    ({"workers": Workers(min=2, max=4)}, "workersMax", "workersMax is 4, declared is 5"),
    ({"workers": Workers(min=2, max=2)}, "workersMax", "silent scale-down after 3 days"),
    ({"workers": Workers(min=0, max=0)}, "workersMax", "silent scale-down after 7 days"),
    (
        {"scaling": QueueDelay(queue_delay=1), "workers": Workers(min=2, max=5, idle_timeout=180)},
        "scaler type",
        "QUEUE",
    ),
    ({"scaling": RequestCount(request_count=2)}, "scalerValue", "scalerValue is 2 requests a worker"),
    ({"workers": Workers(min=2, max=5, idle_timeout=5)}, "idleTimeout", "idleTimeout is 5 s, declared is 180 s"),
    ({"timeout": 300_000}, "executionTimeout", "executionTimeout is 300 s, declared is 600 s"),
    ({"timeout": 0}, "executionTimeout", "none was ever set"),
    ({"flashboot": "OFF"}, "FlashBoot", "FlashBoot is off, declared is on"),
    ({"gpu": Gpu(pools=("AMPERE_24",))}, "GPU", "but not on NVIDIA GeForce RTX 4090"),
    ({"gpu": Gpu(pools=("ADA_24", "AMPERE_24"))}, "GPU", "workers may run on NVIDIA GeForce RTX 3090"),
    ({"gpu": Gpu(pools=("ADA_24",), excluded_types=(CARD,))}, "GPU", "not on NVIDIA GeForce RTX 4090"),
    ({"gpu": None}, "GPU", "runs on CPUs"),
    ({"image": "ghcr.io/team/worker:latest"}, "image", "is not pinned by digest"),
    ({"image": ""}, "image", "no image is not pinned"),
    (
        {"env": {"MAX_MODEL_LEN": "4096", "MAX_NUM_BATCHED_TOKENS": "2048"}},
        "MAX_MODEL_LEN / MAX_NUM_BATCHED_TOKENS",
        "MAX_NUM_BATCHED_TOKENS is 2048, below MAX_MODEL_LEN 4096",
    ),
    ({"env": {"MAX_NUM_BATCHED_TOKENS": "2048"}}, "MAX_MODEL_LEN / MAX_NUM_BATCHED_TOKENS", "below MAX_MODEL_LEN 4096"),
    (
        {"env": {"MAX_MODEL_LEN": "2", "MAX_NUM_BATCHED_TOKENS": "4"}},
        "MAX_MODEL_LEN / MAX_NUM_BATCHED_TOKENS",
        "below MAX_NUM_SEQS 8",
    ),
    (
        {"env": {"MAX_NUM_BATCHED_TOKENS": "0"}},
        "MAX_MODEL_LEN / MAX_NUM_BATCHED_TOKENS",
        "a positive integer is needed",
    ),
    ({"env": {"ENFORCE_EAGER": "maybe"}}, "worker settings", "ENFORCE_EAGER='maybe'"),
    ({"env": {"MAX_MODEL_LENGTH": "1"}}, "variable names", "MAX_MODEL_LEN is"),
    ({"env": {"DEFAULT_BATCH_SIZE": "50"}}, "variable names", "DEFAULT_BATCH_SIZE is read by nothing"),
]


@pytest.mark.parametrize(("changes", "setting", "said"), DIFFERENCES)
def test_each_difference_is_a_row_that_fails(changes: dict[str, Any], setting: str, said: str) -> None:
    """A setting that is not the declared one fails in its own row and says both values."""
    rows = compare(EXPECTED, live(**changes))
    outcome, reason = wrong(rows)[setting]
    assert outcome is Outcome.FAIL
    assert said in reason
    assert said in answer("x", rows) or len(wrong(rows)) > 1


@pytest.mark.parametrize("seconds", [180, 5])
def test_graphql_tells_an_idle_timeout_that_v2_leaves_out(seconds: int) -> None:
    """What GraphQL tells is judged, and the row says that v2 cannot set it."""
    row = next(r for r in compare(EXPECTED, live(idle=Told(seconds=seconds))) if r.setting == "idleTimeout")
    assert row.outcome is (Outcome.PASS if seconds == 180 else Outcome.FAIL)
    assert "told by GraphQL" in row.reason


def test_no_such_setting_is_not_applicable_with_its_proof() -> None:
    """v2 has no idleTimeout for a queue on REQUEST_COUNT, and GraphQL tells none: NOT_APPLICABLE, saying both."""
    outcome, reason = wrong(compare(EXPECTED, live(idle=Told(trouble="HTTP 404"))))["idleTimeout"]
    assert outcome is Outcome.NOT_APPLICABLE
    assert "REST v2 has no idleTimeout" in reason
    assert "HTTP 404" in reason


def test_graphql_that_could_not_be_asked_is_an_error() -> None:
    """Could not reach is not "there is none"."""
    outcome, _ = wrong(compare(EXPECTED, live(idle=Told(trouble="no answer", asked=False))))["idleTimeout"]
    assert outcome is Outcome.ERROR


def test_an_idle_timeout_that_is_missing_elsewhere_is_an_error() -> None:
    """QUEUE_DELAY has an idle timeout: an answer without one shows nothing."""
    found = endpoint(scaling=QueueDelay(queue_delay=1))
    outcome, reason = wrong(compare(EXPECTED, live(found)))["idleTimeout"]
    assert outcome is Outcome.ERROR
    assert "nothing is known" in reason


def test_a_pool_or_gpu_that_nobody_knows_is_an_error() -> None:
    """Neither passes nor fails."""
    unknown = wrong(compare(EXPECTED, live(endpoint(gpu=Gpu(pools=("NEW_9",))))))
    assert unknown["GPU"][0] is Outcome.ERROR
    mistyped = msgspec.structs.replace(EXPECTED, gpu="NVIDIA RTX 4090")
    assert wrong(compare(mistyped, live()))["GPU"][0] is Outcome.ERROR


def test_the_platforms_catalog_comes_before_what_golive_knows() -> None:
    """A card that joined the pool since makes the pool too wide."""
    grown = msgspec.structs.replace(live(), pools={CARD: "ADA_24", "NVIDIA NEW": "ADA_24"})
    assert wrong(compare(EXPECTED, grown))["GPU"][0] is Outcome.FAIL


def test_a_whole_pool_can_be_declared() -> None:
    """``gpu = "ADA_24"``: that pool, without exclusions."""
    expected = msgspec.structs.replace(EXPECTED, gpu="ADA_24")
    assert wrong(compare(expected, live())) == {}
    narrowed = endpoint(gpu=Gpu(pools=("ADA_24",), excluded_types=("NVIDIA L4",)))
    assert "GPU" in wrong(compare(expected, live(narrowed)))


def test_a_worker_on_another_card_is_seen() -> None:
    """What workers were placed on counts, not only what the configuration says."""
    outcome, reason = wrong(compare(EXPECTED, live(card="NVIDIA L4")))["workers' GPU"]
    assert outcome is Outcome.FAIL
    assert "w1 on NVIDIA L4" in reason


@pytest.mark.parametrize("image", [f"other/name@{DIGEST}", IMAGE])
def test_images_are_the_same_by_digest(image: str) -> None:
    """The digest is the image, whatever repository it is pulled from."""
    assert "image" not in wrong(compare(msgspec.structs.replace(EXPECTED, image=image), live()))


def test_another_digest_and_a_declared_tag_are_not_the_image() -> None:
    """Another digest fails; a declared tag shows nothing."""
    other = msgspec.structs.replace(EXPECTED, image=f"ghcr.io/team/worker@{OTHER_DIGEST}")
    tag = msgspec.structs.replace(EXPECTED, image="ghcr.io/team/worker:1")
    assert wrong(compare(other, live()))["image"][0] is Outcome.FAIL
    assert wrong(compare(tag, live()))["image"][0] is Outcome.ERROR


def test_declared_environment_is_compared_and_hidden() -> None:
    """A declared variable must be there with its value; values of what is no worker setting are never shown."""
    expected = msgspec.structs.replace(EXPECTED, env={"API_TOKEN": "declared-secret", "MAX_MODEL_LEN": "8192"})
    rows = compare(expected, live(env={"API_TOKEN": "live-secret", "MAX_MODEL_LEN": "4096"}))
    found = wrong(rows)
    assert found["API_TOKEN"][0] is Outcome.FAIL
    assert found["MAX_MODEL_LEN"][0] is Outcome.FAIL
    assert "secret" not in "\n".join(lines(rows)) + msgspec.json.encode(difference("x", rows)).decode()
    missing = wrong(compare(expected, live(env={})))
    assert "not set on the endpoint" in missing["API_TOKEN"][1]


def test_names_that_others_read_are_known() -> None:
    """The platform's, the model stack's, and what golive.toml lists."""
    expected = msgspec.structs.replace(EXPECTED, other_env=("SIDECAR_PORT",))
    env = {"HF_HUB_OFFLINE": "1", "RUNPOD_INIT_TIMEOUT": "800", "SIDECAR_PORT": "1"}
    assert wrong(compare(expected, live(env=env))) == {}


VALUES: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    workers=st.builds(
        Workers, min=st.integers(0, 3), max=st.integers(3, 9), idle_timeout=st.none() | st.integers(1, 9)
    ),
    scaling=st.builds(RequestCount, request_count=st.integers(1, 3))
    | st.builds(QueueDelay, queue_delay=st.floats(1, 9)),
    timeout=st.integers(0, 10**6),
    flashboot=st.sampled_from(("OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT")),
    gpu=st.none() | st.builds(Gpu, pools=st.sampled_from((("ADA_24",), ("AMPERE_24", "ADA_24"), ("NEW_1",)))),
)


@given(VALUES)
def test_what_apply_sets_is_what_differs(changes: dict[str, Any]) -> None:
    """Applied to the endpoint, the update leaves only what is by hand or unknown; an endpoint as declared gets none."""
    before = live(endpoint(**changes))
    rows = compare(EXPECTED, before)
    update = change_for(EXPECTED, before, rows)
    hand = {row.setting for row in cannot_set(EXPECTED, rows, before)}
    failed = {row.setting for row in rows if row.outcome is Outcome.FAIL} - hand
    cpu = before.endpoint.gpu is None
    assert is_empty(update) is (not failed - ({"GPU"} if cpu else set()))
    after = _applied(before, update)
    left = {row.setting for row in compare(EXPECTED, after) if row.outcome is Outcome.FAIL}
    assert left <= hand | ({"GPU"} if cpu else set()) | {"idleTimeout"}


def _applied(before: Live, update: Any) -> Live:
    """The endpoint as the API would answer it after ``update``."""
    found = before.endpoint
    set_ = {name: getattr(update, name) for name in ("scaling", "timeout", "flashboot", "image", "env")}
    found = msgspec.structs.replace(found, **{k: v for k, v in set_.items() if v is not msgspec.UNSET})
    if update.workers is not msgspec.UNSET:
        sent = msgspec.to_builtins(update.workers)
        now: dict[str, Any] = {
            "min": found.workers.min,
            "max": found.workers.max,
            "idle_timeout": found.workers.idle_timeout,
        }
        now |= {"idle_timeout" if key == "idleTimeout" else key: value for key, value in sent.items()}
        found = msgspec.structs.replace(found, workers=Workers(**now))
    if update.gpu is not msgspec.UNSET:
        sent = msgspec.to_builtins(update.gpu)
        found = msgspec.structs.replace(
            found, gpu=Gpu(pools=tuple(sent["pools"]), excluded_types=tuple(sent.get("excludedTypes", ())))
        )
    return msgspec.structs.replace(before, endpoint=found)


def test_scaling_alone_makes_no_release() -> None:
    """Workers are not replaced for what only the autoscaler reads; for an image they are."""
    scaled = live(workers=Workers(min=1, max=2))
    rows = compare(EXPECTED, scaled)
    assert not makes_a_release(change_for(EXPECTED, scaled, rows))
    expected = msgspec.structs.replace(EXPECTED, image=f"a/b@{OTHER_DIGEST}")
    assert makes_a_release(change_for(expected, live(), compare(expected, live())))


def test_a_card_of_a_shared_pool_excludes_its_neighbours() -> None:
    """The pool alone would let workers run on its other cards as well."""
    expected = msgspec.structs.replace(EXPECTED, gpu="NVIDIA L4")
    found = live()
    assert change_for(expected, found, compare(expected, found)).gpu == GpuChange(
        pools=("AMPERE_24",), excluded_types=("NVIDIA GeForce RTX 3090", "NVIDIA RTX A5000")
    )


def test_env_is_merged_before_it_is_sent() -> None:
    """A PATCH replaces the whole environment: what is live and not declared must go along."""
    expected = msgspec.structs.replace(EXPECTED, env={"MAX_MODEL_LEN": "8192"})
    found = live(env={"MAX_MODEL_LEN": "4096", "HF_TOKEN": "t"})
    assert change_for(expected, found, compare(expected, found)).env == {"MAX_MODEL_LEN": "8192", "HF_TOKEN": "t"}


def test_a_unit_is_said_in_its_number() -> None:
    """One request, two requests, seconds."""
    one, two = compare(EXPECTED, live()), compare(EXPECTED, live(scaling=RequestCount(request_count=2)))
    assert [row.live for row in (*one, *two) if row.setting == "scalerValue"] == [
        "1 request a worker",
        "2 requests a worker",
    ]


def test_a_reason_names_its_setting_once() -> None:
    """Below the table each line begins with the setting."""
    told = lines(compare(EXPECTED, live(workers=Workers(min=2, max=4), env={"X_Y": "1"})))
    assert "workersMax is 4, declared is 5" in told
    assert any(line.startswith("variable names: 1 of 1") for line in told)


def test_a_priority_flashboot_counts_as_on() -> None:
    """Declared on: either kind."""
    assert wrong(compare(EXPECTED, live(flashboot="PRIORITY_FLASHBOOT"))) == {}
