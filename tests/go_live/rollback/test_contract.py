"""Every write of a rollback and of its rehearsal, against the published OpenAPI file of REST v2.

The file is not part of the project: GOLIVE_RUNPOD_OPENAPI names it, and without it these tests are skipped.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from go_live.management.models import EndpointCreate, EndpointUpdate, Template, WorkersChange, body
from go_live.rollback.changes import way_to
from go_live.rollback.scratch import made_for, set_to
from go_live.rollback.target import Target
from tests.go_live.management.contract import Contract
from tests.go_live.rollback.conftest import THEN, endpoint, target

VARIABLE = "GOLIVE_RUNPOD_OPENAPI"
TEMPLATE = Template(id="tpl-then", name="then", image=THEN, serverless=True, env={"HF_TOKEN": "old"})


def sent(change: EndpointUpdate | EndpointCreate) -> dict[str, Any]:
    """The body as it goes over the wire."""
    told: dict[str, Any] = json.loads(json.dumps(body(change)))
    return told


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The published specification."""
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"{VARIABLE} does not name the published OpenAPI file of REST v2")
    return Contract(Path(path))


@pytest.mark.parametrize("there", [target(), target(image="", deployed=None)], ids=["by image", "by template"])
def test_every_write_is_as_specified(contract: Contract, there: Target) -> None:
    """The rollback's PATCH, the rehearsal's PATCH and POST, and scaling to zero: nothing unknown, nothing missing."""
    live = endpoint(gpu={"pools": ["ADA_24"], "excludedTypes": ["NVIDIA L4"]}, dataCenterIds=["US-KS-2"])
    way = way_to(there, live, TEMPLATE)
    one = f"/v2/serverless/{live.id}"
    assert way.how in {"image", "template"}
    for change in (way.update, set_to(live, there, way), EndpointUpdate(workers=WorkersChange(min=0, max=0))):
        assert contract.request_problems("PATCH", one, {}, sent(change)) == []
    assert contract.request_problems("POST", "/v2/serverless", {}, sent(made_for(live, there, way))) == []
