"""A ready configuration for those who run an agent: Vector or Fluent Bit, with the same allow-list. Pure.

What an agent ships is a part of what ``ship-logs`` does: the same fields in the same forms of ``start``, ``end`` and
the other structured lines, and no text of an error at all. Lines that are not structured are dropped and not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from go_live.monitor.yaml_text import write
from go_live.shipping.allowed import EVENTS, FLAGS, NUMBERS, OTHER, PATTERNS
from go_live.shipping.fluent_bit import LUA
from go_live.shipping.payloads import common_of, labels_of

SENT = tuple(sorted(EVENTS - {OTHER}))
FOLDER = "/var/log/llm-worker"
"""Where an agent looks for the workers' logs unless told otherwise: ``<worker>/worker.log``."""
HEADING = (
    "# Written by `golive monitor ship-logs --agent {agent}` from golive.toml. Change it there, and write it again.\n"
)
Document = dict[str, Any]

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from go_live.config import Config, Loki


def configuration_of(agent: str, to: str, config: Config, *, folder: Path | None = None) -> str:
    """The text of ``agent``'s configuration for the destination ``to``.

    Args:
        agent: ``vector`` or ``fluent-bit``.
        to: ``loki``, ``cloudwatch`` or ``datadog``.
        config: addresses and labels.
        folder: where the workers' folders are.
    """
    make: Callable[[str, Config, str], Document] = vector if agent == "vector" else fluent_bit
    logs = f"{folder.absolute() if folder is not None else FOLDER}/*/worker.log"
    return write(make(to, config, logs), HEADING.format(agent=agent))


def vector(to: str, config: Config, logs: str) -> Document:
    """Vector: a file source, a remap in VRL, a sink."""
    return {
        "data_dir": "/var/lib/vector",
        "sources": {"workers": {"type": "file", "include": [logs], "read_from": "beginning"}},
        "transforms": {
            "allowed": {
                "type": "remap",
                "inputs": ["workers"],
                "drop_on_error": True,
                "drop_on_abort": True,
                "source": _vrl(to, config),
            }
        },
        "sinks": {"destination": {"inputs": ["allowed"], **_vector_sink(to, config)}},
    }


def _vrl(to: str, config: Config) -> str:
    """What Vector does to a line: nothing stays but what is put into ``kept``."""
    lines = [
        "told = object!(parse_json!(string!(.message)))",
        "worker = string!(parse_regex!(string!(.file), r'(?P<worker>[^/]+)/[^/]+$').worker)",
        "kept = {}",
        f"if !includes({list(SENT)}, told.event) {{ abort }}".replace("'", '"'),
        "kept.event = told.event",
    ]
    for name, pattern in PATTERNS.items():
        lines += [f'text = string(told.{name}) ?? ""', f"if match(text, r'^(?:{pattern})$') {{ kept.{name} = text }}"]
    for name in NUMBERS:
        lines.append(f"if is_integer(told.{name}) || is_float(told.{name}) {{ kept.{name} = told.{name} }}")
    for name in FLAGS:
        lines.append(f"if is_boolean(told.{name}) {{ kept.{name} = told.{name} }}")
    lines += [
        'text = string(told.ts) ?? ""',
        'at = parse_timestamp(text, "%+") ?? now()',
        '. = {"message": encode_json(kept), "timestamp": at, "worker": worker}',
    ]
    if to == "datadog":
        common = common_of("", config.endpoint.id, dict(config.logs.labels))
        lines += [f'.{name} = "{value}"' for name, value in common.items() if name != "hostname"]
        lines.append(".hostname = del(.worker)")
    return "\n".join(lines) + "\n"


def _vector_sink(to: str, config: Config) -> Document:
    logs = config.logs
    if to == "loki":
        tenant: Document = {"tenant_id": logs.loki.tenant} if logs.loki.tenant else {}
        token = f"${{{logs.loki.token_env}}}"
        basic = {"strategy": "basic", "user": logs.loki.user, "password": token}
        auth = basic if logs.loki.user else {"strategy": "bearer", "token": token}
        return {
            "type": "loki",
            "endpoint": logs.loki.url,
            "compression": "gzip",
            "encoding": {"codec": "text"},
            "labels": {**labels_of(logs, config.endpoint.id), "worker": "{{ worker }}"},
            "out_of_order_action": "accept",
            **tenant,
            **({"auth": auth} if _asks(logs.loki) else {}),
        }
    if to == "datadog":
        key = f"${{{logs.datadog.api_key_env}}}"
        return {
            "type": "datadog_logs",
            "endpoint": logs.datadog.intake,
            "default_api_key": key,
            "compression": "gzip",
        }
    return {
        "type": "aws_cloudwatch_logs",
        "region": logs.cloudwatch.region,
        "group_name": logs.cloudwatch.group,
        "stream_name": "{{ worker }}",
        "create_missing_group": True,
        "create_missing_stream": True,
        "retention": {"enabled": True, "days": logs.cloudwatch.retention_days},
        "encoding": {"codec": "text"},
    }


def fluent_bit(to: str, config: Config, logs: str) -> Document:
    """Fluent Bit: tail with the JSON parser, the allow-list in Lua, an output."""
    return {
        "service": {"flush": 1, "grace": 30},
        "parsers": [
            {
                "name": "worker",
                "format": "json",
                "time_key": "ts",
                "time_format": "%Y-%m-%dT%H:%M:%S.%LZ",
                "time_keep": True,
            }
        ],
        "pipeline": {
            "inputs": [
                {
                    "name": "tail",
                    "tag": "worker",
                    "path": logs,
                    "path_key": "file",
                    "parser": "worker",
                    "read_from_head": True,
                    "db": "/var/lib/fluent-bit/golive.db",
                }
            ],
            "filters": [{"name": "lua", "match": "worker", "call": "allowed", "code": LUA}],
            "outputs": [{"match": "worker", "retry_limit": "no_limits", **_fluent_bit_output(to, config)}],
        },
    }


def _fluent_bit_output(to: str, config: Config) -> Document:
    logs = config.logs
    if to == "loki":
        tenant: Document = {"tenant_id": logs.loki.tenant} if logs.loki.tenant else {}
        token = f"${{{logs.loki.token_env}}}"
        basic = {"http_user": logs.loki.user, "http_passwd": token}
        auth = basic if logs.loki.user else {"bearer_token": token}
        return {
            "name": "loki",
            **_address(logs.loki.url),
            "uri": f"{urlsplit(logs.loki.url).path}/loki/api/v1/push",
            "labels": ", ".join(f"{name}={value}" for name, value in labels_of(logs, config.endpoint.id).items()),
            "label_keys": "$worker",
            "remove_keys": "worker",
            "line_format": "json",
            "compress": "gzip",
            **tenant,
            **(auth if _asks(logs.loki) else {}),
        }
    if to == "datadog":
        common = common_of("", config.endpoint.id, dict(logs.labels))
        return {
            "name": "datadog",
            **_address(logs.datadog.intake),
            "apikey": f"${{{logs.datadog.api_key_env}}}",
            "compress": "gzip",
            "dd_source": common["ddsource"],
            "dd_tags": common["ddtags"],
            "dd_service": common["service"],
        }
    return {
        "name": "cloudwatch_logs",
        "region": logs.cloudwatch.region,
        "log_group_name": logs.cloudwatch.group,
        "log_stream_prefix": "worker-",
        "log_stream_template": "$worker",
        "auto_create_group": True,
        "log_retention_days": logs.cloudwatch.retention_days,
    }


def _asks(loki: Loki) -> bool:
    """Whether this Loki asks who somebody is: an agent does not start where a variable that it names is not set."""
    return bool(loki.user) or loki.url.startswith("https:")


def _address(url: str) -> Document:
    """Host, port and TLS of an address."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    return {"host": parts.hostname, "port": parts.port or (443 if tls else 80), "tls": "on" if tls else "off"}
