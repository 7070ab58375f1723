"""The panels as a Grafana dashboard, built with Grafana's own SDK, which nothing else imports."""

import itertools
import json
from collections.abc import Callable

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from go_live.config import Config
from go_live.monitor.alerts import runbook_url
from go_live.monitor.dashboard import DATASOURCE, DESCRIPTION, ENDPOINT, TAGS, TITLE, UID, UNITS
from go_live.monitor.metrics import ENDPOINT_LABEL, REQUESTS_TOTAL
from go_live.monitor.panels import COMPLIANCE, Kind, Limit, Line, Panel, Row, rows
from go_live.monitor.rules import PAGE_FILE

GUIDE = "docs/dashboard.md"
GREEN, RED, GREY, CLEAR = "green", "red", "#808080", "transparent"
NOTHING = "nothing to tell"
"""Shown where a query has no answer, so that an empty panel does not look like a good one."""
WIDTH, HEIGHT, FIGURE_HEIGHT = 24, 8, 5
PROMETHEUS = model.DataSourceRef(type_val="prometheus", uid=f"${{{DATASOURCE}}}")
Frame = stat.Panel | timeseries.Panel | table.Panel


def dashboard_file(config: Config) -> str:
    """Text of the dashboard."""
    built, ids = _dashboard(config), itertools.count(1)
    for row in rows(config):
        built = built.with_row(dashboard.Row(row.title).id(next(ids)))
        for panel, width in zip(row.panels, _widths(row), strict=True):
            built = built.with_panel(_frame(panel, width, config).id(next(ids)))
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _dashboard(config: Config) -> dashboard.Dashboard:
    """Its head: variables and links."""
    docs = config.alerts.docs_url
    return (
        dashboard.Dashboard(TITLE)
        .uid(UID)
        .description(DESCRIPTION)
        .tags(list(TAGS))
        .editable()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .with_variable(dashboard.DatasourceVariable(DATASOURCE).label("Prometheus").type("prometheus"))
        .with_variable(
            dashboard.QueryVariable(ENDPOINT)
            .label("Endpoint")
            .datasource(PROMETHEUS)
            .query(f"label_values({REQUESTS_TOTAL}, {ENDPOINT_LABEL})")
            .current(model.VariableOption(selected=True, text=config.endpoint.id, value=config.endpoint.id))
            .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        )
        .link(_link("What each alert means, and what to do", f"{docs}/{PAGE_FILE}"))
        .link(_link("About this dashboard", f"{docs}/{GUIDE}"))
    )


def _link(title: str, url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK).url(url).icon("doc").target_blank(True)  # noqa: FBT003 - the SDK's signature


def _widths(row: Row) -> list[int]:
    """Columns of each panel: of the compliance row eight small figures and two drawings, else equal parts."""
    if row.title != COMPLIANCE:
        return [WIDTH // len(row.panels)] * len(row.panels)
    figures = sum(panel.kind == "figure" for panel in row.panels)
    edges = [round(WIDTH * index / figures) for index in range(figures + 1)]
    drawings = len(row.panels) - figures
    return [*(right - left for left, right in itertools.pairwise(edges)), *[WIDTH // drawings] * drawings]


def _frame(panel: Panel, width: int, config: Config) -> Frame:
    """One panel, with its targets and limits."""
    frame: Frame = _KINDS[panel.kind](panel)
    for line, ref in zip(panel.lines, "ABCDEFGH", strict=False):
        frame = frame.with_target(_target(line, ref, panel))
    if panel.alert:
        frame = frame.links([_link(f"{panel.alert}: what to do", runbook_url(config, panel.alert))])
    return (
        frame.title(panel.title)
        .description(panel.says)
        .datasource(PROMETHEUS)
        .unit(UNITS[panel.unit])
        .no_value(NOTHING)
        .mappings([_nothing()])
        .span(width)
    )


def _nothing() -> model.ValueMapping:
    """No value is grey and said in words: 0 of 0 requests is no number, and neither good nor bad."""
    result = model.ValueMappingResult(text=NOTHING, color=GREY)
    match = model.SpecialValueMatch.NULL_AND_NAN
    return model.SpecialValueMap(options=model.DashboardSpecialValueMapOptions(match=match, result=result))


def _figure(panel: Panel) -> stat.Panel:
    """The newest value, coloured by its limit; grey where there is none."""
    newest = common.ReduceDataOptions().calcs(["lastNotNull" if panel.unit == "alerts" else "last"])
    return (
        stat.Panel()
        .thresholds(_steps(panel.limits))
        .color_mode(options.BigValueColorMode.BACKGROUND if panel.limits else options.BigValueColorMode.NONE)
        .graph_mode(options.BigValueGraphMode.NONE)
        .text_mode(options.BigValueTextMode.VALUE)
        .reduce_options(newest)
        .decimals(0 if panel.unit in {"requests", "alerts"} else 2)
        .height(FIGURE_HEIGHT)
    )


def _over_time(panel: Panel) -> timeseries.Panel:
    """Lines over time, with each limit as a dashed one; a hole in the data stays a hole."""
    legend = (
        common.VizLegendOptions()
        .show_legend(True)  # noqa: FBT003 - the SDK's signature
        .display_mode(options.LegendDisplayMode.LIST)
        .placement(options.LegendPlacement.BOTTOM)
        .calcs(["last"])
    )
    frame = (
        timeseries.Panel()
        .thresholds(_steps(panel.limits))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(options.GraphThresholdsStyleMode.DASHED))
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI))
        .span_nulls(False)  # noqa: FBT003 - the SDK's signature
        .line_width(2)
        .axis_soft_min(0)
        .height(HEIGHT)
    )
    if panel.limits:  # room for the limit in the drawing, whatever the data
        frame = frame.axis_soft_max(max(limit.value for limit in panel.limits) * 1.1)
    return frame


def _stacked(panel: Panel) -> timeseries.Panel:
    """Areas upon each other."""
    return _over_time(panel).stacking(common.StackingConfig().mode(options.StackingMode.NORMAL)).fill_opacity(30)


def _table(_: Panel) -> table.Panel:
    """What there is now, a row each."""
    return table.Panel().height(HEIGHT)


_KINDS: dict[Kind, Callable[[Panel], Frame]] = {
    "figure": _figure,
    "over time": _over_time,
    "stacked": _stacked,
    "table": _table,
}


def _steps(limits: tuple[Limit, ...]) -> Builder[model.ThresholdsConfig]:
    """The limits as Grafana's thresholds: what is beyond one is coloured from there on."""
    above = bool(limits) and limits[0].at_least
    base = RED if above else GREEN if limits else CLEAR
    steps = [model.Threshold(value=limit.value, color=GREEN if limit.at_least else RED) for limit in limits]
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=None, color=base), *steps])
    )


def _target(line: Line, ref: str, panel: Panel) -> prometheus.Dataquery:
    """One query: over time for what is drawn over time, else as of now."""
    query = (
        prometheus.Dataquery().expr(line.query.promql()).legend_format(line.legend).ref_id(ref).datasource(PROMETHEUS)
    )
    if panel.kind == "table":
        return query.instant().format(PromQueryFormat.TABLE)
    return query.instant() if panel.kind == "figure" else query.range()
