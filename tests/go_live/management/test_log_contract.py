"""The log stream against the published OpenAPI file of REST v2: what the tail asks for, and what the double streams.

The file is not part of the project: GOLIVE_RUNPOD_OPENAPI names it, and without it these tests are skipped.
"""

import json
import os
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest

from go_live.local_endpoint.management_double.logs import OPERATION, LogQuirks
from go_live.local_endpoint.management_double.mishaps import Mishap
from tests.go_live.management.conftest import KEY
from tests.go_live.management.contract import Contract
from tests.go_live.management.test_contract import VARIABLE
from tests.go_live.management.test_logs import tailing

PATH = "/v2/serverless/local/workers/w1/logs"
KNOWN_GAP = "Last-Event-ID"
"""Its schema wants a time, and the specification's own example of an id is a time and a number."""


@pytest.fixture(scope="module")
def contract() -> Contract:
    """The published specification."""
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"{VARIABLE} does not name the published OpenAPI file of REST v2")
    return Contract(Path(path))


def specified(contract: Contract) -> dict[str, Any]:
    """The schema of each parameter of the log stream, by its name."""
    _, operation = contract.operation("GET", PATH)
    found = [contract._resolved(one) for one in operation["parameters"]]
    return {one["name"]: contract._resolved(one["schema"]) for one in found}


@pytest.mark.parametrize("ids", ["numbered", "times"])
async def test_what_the_tail_asks_for_is_specified(contract: Contract, tmp_path: Path, ids: Any) -> None:
    """Every query parameter and cursor of every stream it opened, of the first one and of resumed ones."""
    schemas = specified(contract)
    checker = jsonschema.FormatChecker()
    async with tailing(tmp_path, LogQuirks(ids=ids, cut_after=2)) as bench:
        bench.write(*(f"line {n}" for n in range(9)))
        await bench.until(lambda: len(bench.logs.asked) >= 4)
        asked = list(bench.logs.asked)
    for query, cursor in asked:
        for name, value in query.items():
            sent = int(value) if schemas[name].get("type") == "integer" else value
            jsonschema.Draft202012Validator(schemas[name], format_checker=checker).validate(sent)
        if cursor is not None:
            assert KNOWN_GAP in schemas
            assert ids == "numbered", "a cursor that is only a time is sent as since"
    assert any("since" in query for query, _ in asked) is (ids == "times")


async def test_what_the_double_streams_is_specified(contract: Contract, tmp_path: Path) -> None:
    """Content type, headers, an id and the three members of each event; the example itself is read alike."""
    _, operation = contract.operation("GET", PATH)
    streamed = operation["responses"]["200"]
    async with tailing(tmp_path) as bench:
        bench.write("Worker ready.")
        headers = {"Authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(headers=headers) as http, http.get(bench.base.replace("/v2", PATH)) as answer:
            assert answer.content_type in streamed["content"]
            assert answer.headers["Cache-Control"] == "no-cache"
            assert answer.headers["X-Accel-Buffering"] == "no"
            event = (await answer.content.readuntil(b"\n\n")).decode().splitlines()
    example = streamed["content"]["text/event-stream"]["examples"]["logLine"]["value"].splitlines()
    assert [line.partition(":")[0] for line in event[:2]] == [line.partition(":")[0] for line in example]
    assert set(json.loads(event[1][6:])) == set(json.loads(example[1][6:])) == {"ts", "source", "line"}


@pytest.mark.parametrize("status", [401, 403, 404, 429])
async def test_every_refusal_is_specified(contract: Contract, tmp_path: Path, status: int) -> None:
    """A problem document, as the specification has it for this operation."""
    async with tailing(tmp_path) as bench:
        for _ in range(1000):  # the tail itself takes some
            bench.double.mishaps.add(Mishap(kind="status", status=status, operation=OPERATION))
        headers = {"Authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(headers=headers) as http, http.get(bench.base.replace("/v2", PATH)) as answer:
            body = await answer.read()
    assert contract.answer_problems("GET", PATH, answer.status, answer.content_type, body) == []
