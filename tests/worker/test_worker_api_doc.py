"""The examples of docs/worker-api.md, run through the handler."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rehearsal.timed_worker import TimedEngine
from worker.handler import Handler
from worker.settings import PARSERS, Settings

TEXT = (Path(__file__).parents[2] / "docs/worker-api.md").read_text()
BLOCKS = re.findall(r"^```json (request|response|stream)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (json.loads(asked), kind, json.loads(got)) for (_, asked), (kind, got) in zip(*[iter(BLOCKS)] * 2, strict=True)
]


def shape(value: Any) -> Any:
    """What stays of a response whatever the model says: keys, and types of values; a list is its kinds of element."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner)) for inner in value})
    return type(value).__name__


@pytest.mark.parametrize(("asked", "kind", "documented"), EXAMPLES)
async def test_an_example_is_what_the_worker_does(asked: Any, kind: str, documented: Any) -> None:
    """Errors and notices word for word; answers by their shape, since the model's words are its own."""
    settings = Settings(enable_streaming=kind == "stream", stream_window_ms=0)
    handler = Handler(TimedEngine(settings, exec_ms=0), settings, write=lambda *_, **__: None)
    parts = [part async for part in handler.answer({"id": "example", "input": asked})]
    parts[-1].pop("engine", None)
    got = json.loads(json.dumps(parts if kind == "stream" else parts[-1]))
    if "error" in documented or "blocked" in documented:
        assert got == documented
    else:
        if "probe" in documented:
            # What is installed beside the worker depends on the extra; the names do not.
            versions = got["probe"].pop("versions")
            assert set(versions) <= set(documented["probe"].pop("versions"))
        assert shape(got) == shape(documented)


def test_examples_are_found() -> None:
    """Refusals, a blocked question, a stream and a probe are among them."""
    assert len(EXAMPLES) == 8
    assert [kind for _, kind, _ in EXAMPLES].count("stream") == 1
    for key in ("choices", "blocked", "error", "probe"):
        assert any(key in got for _, kind, got in EXAMPLES if kind == "response")


def test_every_setting_is_documented() -> None:
    """Each variable that is read stands in the table of settings."""
    for name in PARSERS:
        assert f"`{name}`" in TEXT
