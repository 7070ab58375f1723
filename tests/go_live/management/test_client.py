"""The client of the management API: what it reads and writes, how failures are named, when it asks again."""

from typing import Literal

import pytest

from go_live.errors import ExitCode, UsageError
from go_live.local_endpoint.management_double.mishaps import Mishap
from go_live.local_endpoint.management_double.settings import Described, Quirks
from go_live.management import errors
from go_live.management.client import ManagementClient
from go_live.management.models import (
    EndpointCreate,
    EndpointUpdate,
    GpuChange,
    QueueDelay,
    RequestCount,
    WorkersChange,
)
from go_live.management.retries import Policy
from tests.go_live.management.conftest import KEY, OTHER, READ_ONLY, Paired, raised


async def test_an_endpoint_is_read_with_its_workers_and_releases(paired: Paired) -> None:
    """Endpoint, workers, releases, template and catalog come as typed objects."""
    async with paired() as pair:
        endpoint = await pair.client.endpoint("local")
        workers = await pair.client.workers("local")
        releases = await pair.client.releases("local")
        template = await pair.client.template("tpl-old")
        gpus = await pair.client.gpu_types()
        everything = await pair.client.endpoints(), await pair.client.templates()
    assert (endpoint.workers.min, endpoint.workers.max, endpoint.timeout) == (1, 3, 600_000)
    assert endpoint.scaling == RequestCount(request_count=1)
    assert endpoint.env == {"MAX_MODEL_LEN": "4096"}
    assert [one.status for one in workers.workers] == ["IDLE"]
    assert releases.rollout.percent_on_latest == 100
    assert template.image == OTHER
    assert {gpu.pool for gpu in gpus} >= {"ADA_24"}
    assert [len(one) for one in everything] == [1, 1]


async def test_a_new_image_rolls_out_over_the_workers(paired: Paired) -> None:
    """A new image makes a release; workers are stale until they were replaced, and say which image they run."""
    async with paired() as pair:
        await pair.client.update("local", EndpointUpdate(workers=WorkersChange(min=2)))
        before = (await pair.client.releases("local")).endpoint_version
        await pair.client.update("local", EndpointUpdate(image=OTHER, env={"A": "1"}))
        during = await pair.client.releases("local")
        pair.crew.roll(1)
        half = await pair.client.releases("local"), await pair.client.workers("local")
        pair.crew.roll(5)
        after = await pair.client.releases("local"), await pair.client.workers("local")
    assert before == 1  # bounds of workers make no release
    assert during.rollout.in_progress
    assert [entry.field for entry in during.releases[0].diff] == ["template.imageName", "template.env"]
    assert half[0].rollout.percent_on_latest == 50
    assert [one.is_stale for one in half[1].workers] == [False, True]
    assert (after[0].rollout.in_progress, after[0].rollout.percent_on_latest) == (False, 100)
    assert {one.image for one in after[1].workers} == {OTHER}


async def test_what_is_not_set_is_not_sent_and_stays(paired: Paired) -> None:
    """An update changes what it names and nothing else; a template's env replaces the endpoint's."""
    async with paired() as pair:
        await pair.client.update("local", EndpointUpdate(scaling=QueueDelay(queue_delay=4.0), timeout=1000))
        changed = await pair.client.update("local", EndpointUpdate(template_id="tpl-old"))
    assert (changed.scaling, changed.timeout) == (QueueDelay(queue_delay=4.0), 1000)
    assert (changed.image, changed.env) == (OTHER, {"MAX_MODEL_LEN": "2048"})
    assert changed.workers.max == 3


async def test_a_scratch_endpoint_is_created_scaled_and_deleted(paired: Paired) -> None:
    """Create, scale to zero, delete; afterwards it is not found."""
    async with paired() as pair:
        new = EndpointCreate(
            name="rehearsal",
            type="QUEUE",
            scaling=RequestCount(request_count=1),
            image=OTHER,
            timeout=600_000,
            gpu=GpuChange(pools=("ADA_24",)),
            workers=WorkersChange(min=1, max=1),
        )
        made = await pair.client.create(new)
        scaled = await pair.client.update(made.id, EndpointUpdate(workers=WorkersChange(min=0, max=0)))
        await pair.client.delete(made.id)
        error = await raised(pair.client.endpoint(made.id))
    assert (made.workers.min, scaled.workers.max) == (1, 0)
    assert isinstance(error, errors.NotFoundError)


STATUSES = [
    (400, errors.BadRequestError, "contradicts"),
    (401, errors.UnauthorizedError, "API key is missing or not valid"),
    (403, errors.ForbiddenError, "read and write access"),
    (404, errors.NotFoundError, "check the id"),
    (422, errors.UnprocessableError, "does not take this value"),
    (500, errors.ServerError, "the platform failed"),
    (418, errors.StatusError, "not documented"),
]


@pytest.mark.parametrize(("status", "kind", "remedy"), STATUSES)
async def test_each_status_has_a_name_and_a_remedy(
    paired: Paired, status: int, kind: type[errors.StatusError], remedy: str
) -> None:
    """Every documented status is an error of its own, says what to do, and is exit 4."""
    async with paired(policy=Policy(attempts=1)) as pair:
        pair.double.mishaps.add(Mishap(kind="status", status=status))
        error = await raised(pair.client.endpoint("local"))
    assert type(error) is kind
    assert remedy in str(error)
    assert error.status == status
    assert error.exit_code is ExitCode.NOT_MEASURED


async def test_real_refusals_are_named(paired: Paired) -> None:
    """A wrong key is 401, a read-only key's write 403, an unknown id 404, a member that does not apply 422."""
    async with paired(key="rpa_WRONG") as pair:
        assert isinstance(await raised(pair.client.endpoint("local")), errors.UnauthorizedError)
    async with paired(key=READ_ONLY) as pair:
        assert (await pair.client.endpoint("local")).id == "local"
        refused = await raised(pair.client.update("local", EndpointUpdate(timeout=1)))
        assert isinstance(refused, errors.ForbiddenError)
    async with paired() as pair:
        assert isinstance(await raised(pair.client.endpoint("other")), errors.NotFoundError)
        refused = await raised(pair.client.update("local", EndpointUpdate(workers=WorkersChange(idle_timeout=180))))
        assert isinstance(refused, errors.UnprocessableError)
        assert "idleTimeout" in str(refused)


@pytest.mark.parametrize("status", [502, 524])
async def test_a_page_of_the_edge_is_no_json(paired: Paired, status: int) -> None:
    """HTML is named as what it is, whatever its status, 200 included."""
    async with paired(policy=Policy(attempts=1)) as pair:
        pair.double.mishaps.add(Mishap(kind="html", status=status))
        pair.double.mishaps.add(Mishap(kind="html", status=200))
        first, second = await raised(pair.client.endpoint("local")), await raised(pair.client.endpoint("local"))
    assert isinstance(first, errors.HtmlError)
    assert isinstance(second, errors.HtmlError)


async def test_json_of_another_shape_is_named(paired: Paired) -> None:
    """An object without the documented members is a ShapeError that names the first one missing."""
    async with paired() as pair:
        pair.double.mishaps.add(Mishap(kind="garbage"))
        error = await raised(pair.client.endpoint("local"))
    assert isinstance(error, errors.ShapeError)
    assert "missing required field" in str(error)


async def test_reads_are_asked_again_after_what_passes(paired: Paired) -> None:
    """Cut, 503 and a page are survived by a read; pauses double, each drawn from its whole range."""
    async with paired() as pair:
        for mishap in (Mishap(kind="cut"), Mishap(kind="status", status=503), Mishap(kind="html", status=502)):
            pair.double.mishaps.add(mishap)
        endpoint = await pair.client.endpoint("local")
    assert endpoint.id == "local"
    assert pair.waits.slept == [0.25, 0.5, 1.0]


async def test_a_read_gives_up(paired: Paired) -> None:
    """After four calls the error is told."""
    async with paired() as pair:
        pair.double.mishaps.add(Mishap(kind="status", status=503, times=9))
        error = await raised(pair.client.endpoint("local"))
    assert isinstance(error, errors.ServerError)
    assert len(pair.waits.slept) == 3


@pytest.mark.parametrize(
    "mishap",
    [
        Mishap(kind="cut", applied=True),
        Mishap(kind="hang", applied=True),
        Mishap(kind="status", status=503, applied=True),
        Mishap(kind="html", status=502, applied=True),
    ],
)
async def test_a_write_is_never_repeated_blindly(paired: Paired, mishap: Mishap) -> None:
    """A write whose answer was lost is sent once, and its error says that it may have been applied."""
    async with paired(timeout_s=0.3) as pair:
        pair.double.mishaps.add(mishap)
        error = await raised(pair.client.update("local", EndpointUpdate(timeout=1234)))
        assert pair.double.writes == ["PATCH local"]
        assert (await pair.client.endpoint("local")).timeout == 1234
    assert isinstance(error, errors.ManagementError)
    assert error.maybe_applied
    assert "may have been applied" in str(error)


async def test_a_refused_write_was_not_applied(paired: Paired) -> None:
    """A 4xx says that nothing was done."""
    async with paired() as pair:
        pair.double.mishaps.add(Mishap(kind="status", status=422))
        error = await raised(pair.client.update("local", EndpointUpdate(timeout=1234)))
    assert isinstance(error, errors.UnprocessableError)
    assert not error.maybe_applied
    assert pair.double.writes == []


async def test_a_time_out_is_named(paired: Paired) -> None:
    """A server that never answers is given up in time."""
    async with paired(timeout_s=0.1, policy=Policy(attempts=1)) as pair:
        pair.double.mishaps.add(Mishap(kind="hang"))
        error = await raised(pair.client.endpoint("local"))
    assert isinstance(error, errors.TimedOutError)


async def test_nobody_listens() -> None:
    """A refused connection is named; nothing was sent, so a write was not applied."""
    async with ManagementClient("http://127.0.0.1:9/v2", KEY, policy=Policy(attempts=1)) as client:
        error = await raised(client.update("local", EndpointUpdate(timeout=1)))
    assert isinstance(error, errors.BrokenConnectionError)
    assert not error.maybe_applied
    assert KEY not in str(error)


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "12"}, 12.25),
        ({"RateLimit": '"minute";r=0;t=7, "hour";r=2800;t=1812'}, 7.25),
        ({"Retry-After": "12", "RateLimit": '"minute";r=0;t=7'}, 12.25),
        ({}, 0.25),
    ],
)
async def test_the_pause_that_429_asks_for_is_kept(paired: Paired, headers: dict[str, str], waited: float) -> None:
    """Retry-After counts, else the windows that are used up, else golive's own pause; a write may be sent again too."""
    async with paired(quirks=Quirks(rate_limit_headers=False)) as pair:
        pair.double.mishaps.add(Mishap(kind="status", status=429, headers=headers))
        await pair.client.update("local", EndpointUpdate(timeout=99))
        assert pair.double.writes == ["PATCH local"]
    assert pair.waits.slept == [waited]


async def test_a_pause_of_hours_is_not_waited_for(paired: Paired) -> None:
    """A day's quota that is used up is an error at once, and says how long."""
    async with paired() as pair:
        pair.double.mishaps.add(Mishap(kind="status", status=429, headers={"Retry-After": "45012"}))
        error = await raised(pair.client.endpoint("local"))
    assert isinstance(error, errors.RateLimitedError)
    assert error.wait_s == 45012
    assert pair.waits.slept == []


@pytest.mark.parametrize("told", [True, False])
async def test_the_quota_is_waited_for_before_it_refuses(paired: Paired, told: bool) -> None:  # noqa: FBT001 - a case
    """Where answers tell what is left, the client waits before it is refused; where they do not, after it was."""
    quirks = Quirks(rate_limit_headers=told, retry_after=True)
    async with paired(Described(quota_per_minute=2, quirks=quirks)) as pair:
        pair.double.quota._clock = lambda: pair.waits.at
        pair.double.quota._began = 0.0
        for _ in range(3):
            await pair.client.endpoint("local")
    assert pair.waits.slept == ([60.0] if told else [60.25])


@pytest.mark.parametrize(
    ("quirk", "kind"),
    [("retired", errors.NotFoundError), ("refused", errors.ForbiddenError), ("failing", errors.GraphQlError)],
)
async def test_graphql_may_be_gone(
    paired: Paired, quirk: Literal["retired", "refused", "failing"], kind: type[errors.ManagementError]
) -> None:
    """A retired, refused or failing GraphQL is named; it never breaks what REST tells."""
    async with paired(quirks=Quirks(graphql=quirk)) as pair:
        error = await raised(pair.client.legacy_endpoint("local"))
        assert (await pair.client.endpoint("local")).id == "local"
    assert isinstance(error, kind)


async def test_graphql_tells_what_v2_leaves_out(paired: Paired) -> None:
    """The idle timeout of a queue endpoint on REQUEST_COUNT, and the bound template."""
    async with paired() as pair:
        v2, legacy = await pair.client.endpoint("local"), await pair.client.legacy_endpoint("local")
        unknown = await pair.client.legacy_endpoint("other")
    assert v2.workers.idle_timeout is None
    assert legacy is not None
    assert (legacy.idle_timeout, legacy.template_id) == (5, "tpl-bound")
    assert unknown is None


async def test_v2_may_tell_the_idle_timeout_after_all(paired: Paired) -> None:
    """An API that takes and tells it is understood as well."""
    async with paired(quirks=Quirks(idle_timeout="told")) as pair:
        changed = await pair.client.update("local", EndpointUpdate(workers=WorkersChange(idle_timeout=180)))
    assert changed.workers.idle_timeout == 180


@pytest.mark.parametrize("omitted", [0, 300_000])
async def test_a_timeout_that_is_left_out_may_end_as_nought(paired: Paired, omitted: int) -> None:
    """Specified as 300000, seen as 0: both are read."""
    new = EndpointCreate(
        name="x", type="QUEUE", scaling=QueueDelay(queue_delay=4.0), image=OTHER, gpu=GpuChange(pools=("ADA_24",))
    )
    async with paired(quirks=Quirks(omitted_timeout_ms=omitted)) as pair:
        assert (await pair.client.create(new)).timeout == omitted


async def test_no_secret_is_shown(paired: Paired) -> None:
    """Neither the key nor an environment's values stand in a repr."""
    async with paired(Described(env={"HF_TOKEN": "hf_secretsecretsecret"})) as pair:
        endpoint = await pair.client.endpoint("local")
        change = EndpointUpdate(env={"HF_TOKEN": "hf_secretsecretsecret"})
    assert "hf_secret" not in f"{endpoint!r}{change!r}"
    assert KEY not in repr(pair.client)


@pytest.mark.parametrize("base", ["", "api.runpod.io/v2", "https://user:pass@api.runpod.io/v2", "https://x/v2?key=1"])
def test_a_base_that_is_no_address_is_refused(base: str) -> None:
    """Nothing is sent to what is no plain address."""
    with pytest.raises(UsageError):
        ManagementClient(base, KEY)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a?b", "ä"])
async def test_an_id_stays_one_segment(paired: Paired, name: str) -> None:
    """An id cannot change the path."""
    async with paired() as pair:
        assert isinstance(await raised(pair.client.endpoint(name)), UsageError)
