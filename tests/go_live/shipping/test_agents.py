"""What is generated for agents. Neither Vector nor Fluent Bit is on this machine's registries: what can be run is run.

Fluent Bit's filter runs in LuaJIT, as in Fluent Bit. Everything else is held to the options that the agents' references
document, written down here by hand.
"""

import json
import re
from typing import Any

import lupa.luajit21 as lupa
import pytest
import yaml
from hypothesis import given, settings

from go_live.config import Config
from go_live.shipping.agents import SENT, configuration_of
from go_live.shipping.allowed import FLAGS, NUMBERS, PATTERNS
from go_live.shipping.fluent_bit import FORMS, LUA
from tests.go_live.shipping.conftest import event
from tests.go_live.shipping.test_allowed import MARK, PROMPTS, holding

DESTINATIONS = ("loki", "cloudwatch", "datadog")
VECTOR = {
    "loki": {
        "type",
        "inputs",
        "endpoint",
        "compression",
        "encoding",
        "labels",
        "out_of_order_action",
        "tenant_id",
        "auth",
    },
    "datadog": {"type", "inputs", "endpoint", "default_api_key", "compression"},
    "cloudwatch": {
        *("type", "inputs", "region", "group_name", "stream_name", "create_missing_group", "create_missing_stream"),
        *("retention", "encoding"),
    },
}
"""Options of the sinks loki, datadog_logs and aws_cloudwatch_logs, by Vector's reference."""
FLUENT_BIT = {
    "loki": {
        *("name", "match", "retry_limit", "host", "port", "tls", "uri", "labels", "label_keys", "remove_keys"),
        *("line_format", "compress", "tenant_id", "http_user", "http_passwd", "bearer_token"),
    },
    "datadog": {
        *("name", "match", "retry_limit", "host", "port", "tls", "apikey", "compress"),
        *("dd_source", "dd_tags", "dd_service"),
    },
    "cloudwatch": {
        *("name", "match", "retry_limit", "region", "log_group_name", "log_stream_prefix", "log_stream_template"),
        *("auto_create_group", "log_retention_days"),
    },
}
"""Options of the outputs loki, datadog and cloudwatch_logs, and of every output, by Fluent Bit's manual."""


def parsed(agent: str, to: str, config: Config) -> Any:
    """The configuration, read again."""
    return yaml.safe_load(configuration_of(agent, to, config))


@pytest.mark.parametrize("to", DESTINATIONS)
def test_vector_has_a_source_an_allow_list_and_a_sink_with_documented_options(config: Config, to: str) -> None:
    """Joined by their names; no key in it."""
    told = parsed("vector", to, config)
    assert set(told) == {"data_dir", "sources", "transforms", "sinks"}
    assert told["sources"]["workers"]["include"] == ["/var/log/llm-worker/*/worker.log"]
    assert told["transforms"]["allowed"]["inputs"] == ["workers"]
    assert told["transforms"]["allowed"]["drop_on_abort"] is True
    sink = told["sinks"]["destination"]
    assert sink["inputs"] == ["allowed"]
    assert set(sink) <= VECTOR[to]


@pytest.mark.parametrize("to", DESTINATIONS)
def test_vector_s_program_keeps_the_allowed_fields_and_no_other(config: Config, to: str) -> None:
    """Every field is put into ``kept`` behind a test of its form; what is sent is ``kept``, and nothing of the line."""
    program = parsed("vector", to, config)["transforms"]["allowed"]["source"]
    kept = re.findall(r"kept\.(\w+) = (told\.\w+|text)", program)
    assert {name for name, _ in kept} == {"event", *PATTERNS, *NUMBERS, *FLAGS}
    for name, pattern in PATTERNS.items():
        assert f"if match(text, r'^(?:{pattern})$') {{ kept.{name} = text }}" in program
        re.compile(pattern)
    (sent,) = re.findall(r"^\. = (.*)$", program, re.MULTILINE)
    assert sent == '{"message": encode_json(kept), "timestamp": at, "worker": worker}'
    assert "error" not in program


@pytest.mark.parametrize("to", DESTINATIONS)
def test_fluent_bit_has_an_input_a_filter_and_an_output_with_documented_options(config: Config, to: str) -> None:
    """The tail keeps its place in a database, and the output never gives up."""
    told = parsed("fluent-bit", to, config)
    (tail,), (lua,), (output,) = (told["pipeline"][name] for name in ("inputs", "filters", "outputs"))
    assert tail["db"].endswith(".db")
    assert tail["parser"] == told["parsers"][0]["name"]
    assert lua["code"] == LUA
    assert {tail["tag"]} == {lua["match"], output["match"]} - {""}
    assert output["retry_limit"] == "no_limits"
    assert set(output) <= FLUENT_BIT[to]


@pytest.fixture(scope="module")
def filtered() -> Any:
    """The generated filter, in LuaJIT: a record as Python has it -> code and record."""
    return in_lua()


def in_lua() -> Any:
    """The filter as a function of Python."""
    lua = lupa.LuaRuntime(unpack_returned_tuples=True)
    lua.execute(LUA)
    allowed = lua.globals().allowed

    def run(record: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        code, _, told = allowed("worker", 0, lua.table_from(record, recursive=True))
        return code, dict(told)

    return run


def test_fluent_bit_s_filter_keeps_a_worker_s_line(filtered: Any) -> None:
    """All documented fields but the error's text, and the worker by its folder."""
    line = json.loads(event(1, ok=False, exec_ms=12.5, intent="career_guidance"))
    code, kept = filtered({**line, "class": "refused", "error": "refused: prompt is blank", "file": "/x/w1/worker.log"})
    assert code == 2
    assert kept == {**line, "class": "refused", "worker": "w1"}


@pytest.mark.parametrize("record", [{"log": "Traceback"}, {"event": "surprise"}, {}])
def test_fluent_bit_s_filter_drops_what_is_no_event(filtered: Any, record: dict[str, Any]) -> None:
    """-1 is Fluent Bit's word for it."""
    assert filtered(record)[0] == -1


RUN = in_lua()


@settings(max_examples=60, deadline=None)
@given(holding(PROMPTS))
def test_no_prompt_passes_fluent_bit_s_filter(line: str) -> None:
    """The property of the allow-list, for the agent's."""
    try:
        record = json.loads(line)
    except ValueError:
        record = {"log": line}
    code, kept = RUN(record if isinstance(record, dict) else {"log": line})
    assert code == -1 or MARK not in json.dumps(kept)


def test_both_lists_name_the_same_fields() -> None:
    """Lua's forms are those of the allow-list's texts, and the events the worker's."""
    assert set(FORMS) == set(PATTERNS)
    assert "other" not in SENT
