"""golive.toml, rules and routing with every time divided by one factor. Counts and shares stay as they are. Pure.

A second of the drill then stands for ``factor`` seconds of production: windows, durations, latency limits, looks and
pauses between notifications shrink together, so that a window holds as many requests as in production.
"""

import re

import msgspec

from go_live.config import Config
from go_live.monitor.alertmanager import GROUP_INTERVAL, GROUP_WAIT
from go_live.monitor.alerts import AlertRule
from go_live.monitor.prometheus import SCRAPE
from go_live.monitor.rules import INTERVAL

PATIENCE = 3
"""A dead-man's switch rings after so many beats that did not come (docs/monitoring.md)."""
MARGIN_S = 5.0
"""What the machine of the drill itself may take to evaluate and deliver; the one time that is not scaled."""
MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
DURATION = re.compile(r"(?P<before>\[|: )(?P<number>\d+)(?P<unit>ms|s|m|h)(?P<after>]|$)", re.MULTILINE)


def milliseconds(duration: str) -> int:
    """``15s`` as Prometheus writes it -> 15000."""
    unit = "ms" if duration.endswith("ms") else duration[-1]
    return int(duration.removesuffix(unit)) * MS[unit]


def scaled_text(text: str, factor: int) -> str:
    """A rule file or Alertmanager's configuration with every duration and window divided, in whole milliseconds."""

    def shorter(found: re.Match[str]) -> str:
        ms = int(found["number"]) * MS[found["unit"]] // factor
        return f"{found['before']}{ms}ms{found['after']}"

    return DURATION.sub(shorter, text)


def scaled(config: Config, factor: int) -> Config:
    """``config`` with every latency limit divided; the client's time-out, which no incident meets, stays."""
    replace, slo, soak = msgspec.structs.replace, config.slo, config.soak
    rules = tuple(
        replace(rule, above=rule.above / factor) if "_ms" in rule.metric else rule for rule in config.alerts.rules
    )
    return replace(
        config,
        alerts=replace(config.alerts, rules=rules),
        slo=replace(
            slo,
            **{
                name: getattr(slo, name) / factor
                for name in ("exec_ms_p50", "exec_ms_p95", "total_ms_p50", "total_ms_p95", "queue_ms_p50")
            },
        ),
        soak=replace(soak, total_ms_p50=soak.total_ms_p50 / factor, total_ms_p95=soak.total_ms_p95 / factor),
    )


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """The drill's own times, seconds, all divided by ``factor``."""

    factor: int
    window_s: float
    scrape_s: float
    look_s: float
    """Between two evaluations of the rules."""
    group_wait_s: float
    group_interval_s: float
    beat_s: float
    """Between two beats of the dead-man's switch."""
    probe_s: float
    """Between two looks at the device's memory."""

    @property
    def seen_s(self) -> float:
        """From an event to the evaluation that sees it, and from that to the notification, at most."""
        return 2 * self.scrape_s + 2 * self.look_s


def times(config: Config, factor: int) -> Times:
    """The times of a drill of ``config`` (unscaled) at ``factor``."""
    return Times(
        factor=factor,
        window_s=config.alerts.window_minutes * 60 / factor,
        scrape_s=milliseconds(SCRAPE) / 1000 / factor,
        look_s=milliseconds(INTERVAL) / 1000 / factor,
        group_wait_s=milliseconds(GROUP_WAIT) / 1000 / factor,
        group_interval_s=milliseconds(GROUP_INTERVAL) / 1000 / factor,
        beat_s=config.alerts.watchdog_repeat_minutes * 60 / factor,
        probe_s=config.gateway.probe_every_s / factor,
    )


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """When a notification has to come, seconds after its incident began or ended."""

    not_before_s: float
    fires_s: float
    resolves_s: float


def due(rule: AlertRule, at: Times) -> Due:
    """When ``rule`` has to arrive and resolve.

    A percentile or a rate crosses its limit at the latest when the whole window lies in the incident, and comes back
    at the latest when the whole window lies after it; a gauge shows with the next probe; an absent metric at once.
    """
    hold_s = rule.for_minutes * 60 / at.factor
    onset_s = {"percentile": at.window_s, "fail rate": at.window_s, "gauge": at.probe_s}.get(rule.kind, 0.0)
    back_s = at.probe_s if rule.kind == "absence" else onset_s  # the device's memory is told again by a probe
    return Due(
        not_before_s=hold_s,
        fires_s=onset_s + hold_s + at.seen_s + at.group_wait_s + MARGIN_S,
        resolves_s=back_s + at.seen_s + at.group_interval_s + MARGIN_S,
    )


def quiet_s(rules: tuple[AlertRule, ...], at: Times) -> float:
    """How long healthy traffic has to be watched so that an alert that it raises would have arrived."""
    return max(rule.for_minutes * 60 / at.factor for rule in rules) + at.seen_s + at.group_wait_s
