"""The incidents of the drill: what is done, and which alerts must come of it, and only they. Pure.

Each happens on an endpoint of its own, so that whatever else is told of that endpoint is seen to be wrong. Absence is
watched of the declared endpoint alone: silence happens there, after the device's memory, which takes nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from go_live.config import Config
from go_live.monitor import alerts
from go_live.monitor.alerts import AlertRule

CHANNELS = {"page": ("pagerduty", "slack"), "slack": ("slack",), "none": ("deadman",)}
"""Who has to hear of an alert of each severity (go_live.monitor.alertmanager's receivers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that goes wrong."""

    name: str
    does: str
    """What is done to cause it, as a person reads it."""
    alerts: tuple[str, ...]
    """Names of the alerts that must come of it."""
    may: tuple[str, ...] = ()
    """Names of those that may come of it too."""
    declared: bool = False
    """Whether it happens on golive.toml's endpoint, and not on one of its own."""
    simulated: str = ""
    """What about it is not real; empty: nothing."""

    def endpoint(self, config: Config) -> str:
        """Id of the endpoint that it happens on."""
        return config.endpoint.id if self.declared else f"drill-{self.name}"


SLOW_EXECUTION = Incident(
    name="slow-execution",
    does="the engine takes longer for every answer than both limits allow",
    alerts=("GoliveExecP95High", "GoliveTotalP50High"),
    may=("GoliveTotalP95High",),
)
QUEUE_DELAY = Incident(
    name="queue-delay",
    does="three callers ask at once where the only worker takes too few jobs at a time",
    alerts=("GoliveDelayP50High",),
    may=("GoliveTotalP50High", "GoliveTotalP95High"),
)
ERROR_SPIKE = Incident(
    name="error-spike",
    does="the platform fails one job in ten",
    alerts=(alerts.FAIL_RATE,),
)
SLOW_EDGE = Incident(
    name="total-latency",
    does="one request in four is held up on its way into the queue",
    alerts=("GoliveTotalP95High",),
)
MEMORY = Incident(
    name="device-memory",
    does="the worker tells that its device's memory is nearly full",
    alerts=(alerts.DEVICE_MEMORY,),
    declared=True,
    simulated="no device: the worker's probe tells a figure that the drill gives it",
)
SILENCE = Incident(
    name="silence",
    does="the gateway ends, and its metrics with it",
    alerts=(alerts.ABSENT,),
    declared=True,
)
DEADMAN = Incident(
    name="alerting-dies",
    does="an Alertmanager is killed with SIGKILL, and the dead-man's switch no longer hears of it",
    alerts=(alerts.WATCHDOG,),
    declared=True,
)
INCIDENTS = (SLOW_EXECUTION, QUEUE_DELAY, ERROR_SPIKE, SLOW_EDGE, MEMORY, SILENCE, DEADMAN)
BY_NAME = {incident.name: incident for incident in INCIDENTS}


def rule_name(rule: AlertRule) -> str:
    """The alert, and its metric where several rules share its name."""
    return f"{rule.name} ({rule.metric})" if rule.kind == "absence" else rule.name


def incident_of(rule: AlertRule) -> Incident:
    """The incident that has to raise ``rule``.

    Raises:
        LookupError: there is none: an alert that nothing can show.
    """
    for incident in INCIDENTS:
        if rule.name in incident.alerts:
            return incident
    raise LookupError(f"no incident of the drill raises {rule.name}")


def wanted(rules: Sequence[AlertRule]) -> tuple[Incident, ...]:
    """The incidents that ``rules`` need, in the order of :data:`INCIDENTS`."""
    names = {incident_of(rule).name for rule in rules}
    return tuple(incident for incident in INCIDENTS if incident.name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """How bad the incidents are: beyond the limits of (scaled) golive.toml, and no further than needed."""

    exec_ms: float
    """Of every answer while execution is slow."""
    held_s: float
    """Of one request in :data:`HELD_SHARE`."""
    failed_share: float
    memory: float
    healthy_memory: float


HELD_SHARE = 0.25
"""Far more than the twentieth that p95 leaves, and less than the half that p50 looks at."""


def doses(rules: Sequence[AlertRule], healthy_ms: float) -> Doses:
    """The doses for ``rules``, whose limits are scaled; ``healthy_ms`` is a healthy answer's execution time."""
    limits = {rule.name: rule.above for rule in rules}

    def ms(name: str) -> float:
        return limits.get(name, 0.0) * 1000

    memory = limits.get(alerts.DEVICE_MEMORY, 0.0)
    return Doses(
        exec_ms=max(1.25 * ms("GoliveExecP95High"), 1.25 * ms("GoliveTotalP50High"), healthy_ms),
        held_s=1.25 * limits.get("GoliveTotalP95High", 0.0),
        failed_share=min(1.0, 10 * limits.get(alerts.FAIL_RATE, 0.1)),
        memory=memory + (1 - memory) / 2,
        healthy_memory=0.9 * memory,
    )
