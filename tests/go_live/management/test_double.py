"""The double is no kinder than the platform: what is documented to be refused is refused, and changes nothing."""

import pytest

from go_live.local_endpoint.management_double.bodies import Change, RefusedError, parse
from go_live.local_endpoint.management_double.graphql import answer
from go_live.local_endpoint.management_double.mishaps import Quota
from go_live.local_endpoint.management_double.server import doubled
from go_live.local_endpoint.management_double.settings import Described, DescribedTemplate
from tests.go_live.management.conftest import KEY

TEMPLATES = (
    DescribedTemplate(id="t", image="i@sha256:1", env={"A": "template", "B": "template"}),
    DescribedTemplate(id="pod", image="i", serverless=False),
)
REFUSED = [
    (b'{"workers": {"idleTimeout": 5}}', 422),
    (b'{"workers": {"min": 9}}', 422),
    (b'{"workers": {"max": 1, "min": 2}}', 422),
    (b'{"scaling": {"type": "QUEUE_DELAY", "queueDelay": 4, "x": 1}}', 422),
    (b'{"templateId": "unknown"}', 404),
    (b'{"templateId": "pod"}', 422),
    (b'{"cpu": [{"id": "cpu5c", "vcpuCount": 4}]}', 400),
    (b'{"gpu": {"allowedCudaVersions": ["12.8"], "minCudaVersion": "12.1"}}', 400),
    (b"[]", 422),
    (b"{", 400),
]


@pytest.mark.parametrize(("body", "status"), REFUSED)
def test_a_change_that_does_not_apply_changes_nothing(body: bytes, status: int) -> None:
    """Each refusal has the status that the specification, or what was seen, gives it."""
    double = doubled(Described(templates=TEMPLATES), KEY)
    endpoint = double.endpoints["local"]
    before = endpoint.told(idle_timeout=True)
    with pytest.raises(RefusedError) as caught:
        endpoint.change(parse(body, Change), double._templates, idle_timeout=False)
    assert caught.value.status == status
    assert endpoint.told(idle_timeout=True) == before
    assert endpoint.version == 1


def test_a_template_is_applied_once_and_the_body_comes_before_it() -> None:
    """Its environment replaces the endpoint's; what the body names wins."""
    double = doubled(Described(templates=TEMPLATES, env={"OLD": "1"}), KEY)
    endpoint = double.endpoints["local"]
    endpoint.change(parse(b'{"templateId": "t", "env": {"A": "body"}}', Change), double._templates, idle_timeout=False)
    assert endpoint.config["env"] == {"A": "body", "B": "template"}
    assert endpoint.config["image"] == "i@sha256:1"


def test_pools_without_exclusions_clear_them() -> None:
    """The two are one selection; a change without pools leaves both."""
    double = doubled(Described(gpu_excluded=("NVIDIA L4",)), KEY)
    endpoint = double.endpoints["local"]
    endpoint.change(parse(b'{"gpu": {"count": 2}}', Change), {}, idle_timeout=False)
    assert endpoint.config["gpu"]["excludedTypes"] == ["NVIDIA L4"]
    endpoint.change(parse(b'{"gpu": {"pools": ["ADA_24"]}}', Change), {}, idle_timeout=False)
    assert endpoint.config["gpu"]["excludedTypes"] == []


@pytest.mark.parametrize(("days", "most"), [(2.9, 3), (3, 2), (6.9, 2), (7, 0)])
def test_an_endpoint_that_nobody_uses_is_scaled_down(days: float, most: int) -> None:
    """Two workers at most after three days, none after seven, and never more than before."""
    assert doubled(Described(idle_days=days), KEY).endpoints["local"].config["workers"]["max"] == most
    one = doubled(Described(idle_days=days, workers_max=1, workers_min=0), KEY)
    assert one.endpoints["local"].config["workers"]["max"] == min(most, 1)


def test_graphql_names_what_it_does_not_know() -> None:
    """An unknown field and another query are errors, HTTP 200 both."""
    endpoints = doubled(Described(), KEY).endpoints.values()
    unknown = answer("query { myself { endpoints { id nonsense } } }", endpoints, silent=False)
    assert unknown == {"errors": [{"message": 'Cannot query field "nonsense" on type "Endpoint".'}]}
    assert "errors" in answer("mutation { deleteEndpoint }", endpoints, silent=False)


def test_the_quota_is_a_window_of_a_minute() -> None:
    """So many are let in; the next window lets in as many again."""
    now = [0.0]
    quota = Quota(2, lambda: now[0])
    assert [quota.admit() for _ in range(3)] == [True, True, False]
    assert (quota.left, quota.resets_s) == (0, 60)
    now[0] = 60.0
    assert quota.admit()
