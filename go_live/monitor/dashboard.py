"""The Grafana dashboard as a file: what is in it, and where it is not what golive.toml gives. Pure.

Compared as panels and not as text: a Grafana that took the dashboard adds its own ids, versions and defaults.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import msgspec

from go_live.config import Config
from go_live.monitor.panels import Panel, Unit, rows
from go_live.monitor.queries import series_in

FILE_NAME = "dashboard.json"
UID = "golive"
TITLE = "golive: the endpoint against its SLO"
DESCRIPTION = "Written by `golive monitor dashboard` from golive.toml: change it there."
TAGS = ("golive",)
DATASOURCE, ENDPOINT = "datasource", "endpoint"
"""Names of the variables: which Prometheus is asked, and about which endpoint."""
UNITS: dict[Unit, str] = {
    "s": "s",
    "share": "percentunit",
    "requests": "none",
    "requests/min": "reqpm",
    "tokens/s": "suffix: tokens/s",
    "x": "suffix: x",
    "alerts": "none",
}
"""Grafana's name of each unit."""
Kind = TypeVar("Kind")
TYPES = {"figure": "stat", "over time": "timeseries", "stacked": "timeseries", "table": "table"}
"""Grafana's name of each kind."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A query of a panel."""

    expr: str = ""
    legend: str = msgspec.field(default="", name="legendFormat")
    hide: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold; without a value: the colour below all others."""

    value: float | None = None
    color: str = ""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds of a panel."""

    mode: str = ""
    steps: tuple[Step, ...] = ()


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """Whether thresholds are drawn."""

    mode: str = "off"


class Custom(msgspec.Struct, frozen=True, kw_only=True):
    """What only drawings over time have."""

    style: Style = msgspec.field(default=Style(), name="thresholdsStyle")


class Defaults(msgspec.Struct, frozen=True, kw_only=True):
    """How figures are shown."""

    unit: str = ""
    thresholds: Thresholds = Thresholds()
    custom: Custom = Custom()


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """How figures are shown, and what else is said of single ones."""

    defaults: Defaults = Defaults()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A panel, or the heading of a row."""

    type: str
    title: str = ""
    targets: tuple[Target, ...] = ()
    fields: Fields = msgspec.field(default=Fields(), name="fieldConfig")
    panels: "tuple[Shown, ...]" = ()
    """Of a row that is folded."""


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """A dashboard, as Grafana keeps it."""

    uid: str = ""
    panels: tuple[Shown, ...] = ()


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What Grafana answers who asks for one."""

    dashboard: Dashboard


def parse(text: str | bytes) -> Dashboard:
    """A dashboard from its file.

    Raises:
        ValueError: it is none; the text says why.
    """
    return _decoded(text, Dashboard)


def parse_fetched(text: str | bytes) -> Dashboard:
    """A dashboard from Grafana's answer to ``GET /api/dashboards/uid/…``.

    Raises:
        ValueError: it is none; the text says why.
    """
    return _decoded(text, Fetched).dashboard


def differences(found: Dashboard, config: Config) -> list[str]:
    """Where ``found`` is not what ``config`` gives, one line each; empty: nowhere."""
    there: dict[str, Shown] = {}
    names: list[str] = []
    for shown in _flat(found.panels):
        names.append(shown.title)
        there.setdefault(shown.title, shown)
    headings = [shown.title for shown in found.panels if shown.type == "row"]
    asked = [panel for row in rows(config) for panel in row.panels]
    wanted = {panel.title for panel in asked}
    return [
        *([f"uid is {found.uid}, golive.toml gives {UID}"] if found.uid != UID else []),
        *(f"row {row.title!r} is missing" for row in rows(config) if row.title not in headings),
        *(f"panel {name!r} is there more than once" for name, count in Counter(names).items() if count > 1),
        *(line for panel in asked for line in _compared(panel, there.get(panel.title))),
        *(f"panel {name!r} is not of golive.toml" for name in dict.fromkeys(names) if name not in wanted),
    ]


def unserved(found: Dashboard, served: Collection[str]) -> list[str]:
    """Queries that read a golive series which is none of ``served``, one line each."""
    return [
        f"panel {shown.title!r} asks for {', '.join(sorted(lacking))}, which the gateway does not serve"
        for shown in _flat(found.panels)
        for target in shown.targets
        if (lacking := series_in(target.expr) - set(served))
    ]


def _decoded(text: str | bytes, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(" ".join(str(error).split())) from error


def _flat(panels: Sequence[Shown]) -> Iterator[Shown]:
    """Panels without the rows' headings, those of folded rows among them."""
    for shown in panels:
        if shown.type == "row":
            yield from _flat(shown.panels)
        else:
            yield shown


def _compared(panel: Panel, shown: Shown | None) -> Iterator[str]:
    """What of one panel differs."""
    name = f"panel {panel.title!r}"
    if shown is None:
        yield f"{name} is missing"
        return
    limits = [limit.value for limit in panel.limits]
    pairs = {
        "type": (shown.type, TYPES[panel.kind]),
        "unit": (shown.fields.defaults.unit, UNITS[panel.unit]),
        "query": (
            [" ".join(target.expr.split()) for target in shown.targets if not target.hide],
            [" ".join(line.query.promql().split()) for line in panel.lines],
        ),
        "legend": ([target.legend for target in shown.targets if not target.hide], [x.legend for x in panel.lines]),
        "limit": (
            [step.value for step in shown.fields.defaults.thresholds.steps if step.value is not None],
            limits,
        ),
    }
    for what, (has, gives) in pairs.items():
        if has != gives:
            yield f"{name}: its {what} {_first(has, gives)}"
    if limits and TYPES[panel.kind] == "timeseries" and shown.fields.defaults.custom.style.mode == "off":
        yield f"{name}: its limits are not drawn"


def _first(has: object, gives: object) -> str:
    """Both sides, of lists of one length only the first entry that differs."""
    if isinstance(has, list) and isinstance(gives, list) and len(has) == len(gives):
        has, gives = next((one, other) for one, other in zip(has, gives, strict=True) if one != other)
    return f"is {has}, golive.toml gives {gives}"
