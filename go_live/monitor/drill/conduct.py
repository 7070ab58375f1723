"""The drill itself: real programs started, healthy traffic watched, every incident caused, everything ended again."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from go_live.config import Config
from go_live.monitor.alerts import WATCHDOG, AlertRule, alert_rules
from go_live.monitor.drill import incidents as all_incidents
from go_live.monitor.drill.arrivals import Arrival, parse
from go_live.monitor.drill.incidents import CHANNELS, Doses, Incident, doses, incident_of, wanted
from go_live.monitor.drill.record import EVIDENCE, LOOK, Drill, Span, digests
from go_live.monitor.drill.scale import MARGIN_S, PATIENCE, due, quiet_s, scaled, scaled_text, times
from go_live.monitor.drill.station import Dials, Kind, Station, stations
from go_live.monitor.rules import rule_file
from go_live.monitor.stack import watching
from go_live.monitor.stack.programs import ALERTMANAGER, PROMETHEUS, Program, free_address, version
from go_live.monitor.stack.sink import Sent, listening
from rehearsal.timed_worker import EXEC_MS_DEFAULT

LOOK_S = 0.1
START_S = 20.0
"""What starting and ending everything takes on two cores, about."""
SDK_MS = 50.0
"""The worker's SDK begins a job up to 100 ms after it took it, whatever the scale: taken off the engine's time."""
ENGINE_LEAST_MS = 5.0
TOO_FEW, MORE_CALLERS = 5, 2
"""Jobs at a time of the worker that is to have a queue, and callers that join the one it has. With two places free or
fewer the SDK pauses for a second between its takes (seen: no delay with one caller, 0.7 s at the median with three)."""
Note = Callable[[str], None]


class Clock:
    """Seconds since the drill began."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """It begins now."""
        self._monotonic, self._began = monotonic, monotonic()

    def __call__(self) -> float:
        """Now."""
        return round(self._monotonic() - self._began, 3)


class Heard:
    """What the sinks were sent so far."""

    def __init__(self, clock: Clock, note: Note) -> None:
        """Nothing yet; ``note`` hears of each notification."""
        self.arrivals: list[Arrival] = []
        self.lost_beats: list[float] = []
        self.strange: list[str] = []
        self._clock, self._note = clock, note
        self._lock = threading.Lock()

    def keep(self, sent: Sent) -> None:
        """A notification of the Alertmanager that lives."""
        at = self._clock()
        try:
            arrival = parse(sent.path, sent.body, at)
        except ValueError as error:
            self.strange.append(str(error))
            return
        with self._lock:
            self.arrivals.append(arrival)
        if arrival.alert != WATCHDOG:
            which = f" x{len(arrival.metrics)}" if arrival.metrics else ""
            self._note(f"{arrival.receiver:<9} {arrival.status:<8} {arrival.alert}{which} of {arrival.endpoint}")

    def keep_lost(self, sent: Sent) -> None:
        """A notification of the Alertmanager that is killed: only its beats matter."""
        if sent.path == "/deadman":
            self.lost_beats.append(self._clock())

    def has(self, rule: AlertRule, endpoint: str, status: str, since: float) -> bool:
        """Whether everybody who has to hear of it has heard of it since."""
        metric = rule.metric if rule.kind == "absence" else ""
        told = {
            arrival.receiver
            for arrival in list(self.arrivals)
            if arrival.at >= since and arrival.status == status and arrival.tells(rule.name, endpoint, metric)
        }
        return set(CHANNELS[rule.severity]) <= told


class Conductor:
    """One drill while it goes on."""

    def __init__(self, config: Config, factor: int, folder: Path, note: Note) -> None:
        """``config`` is the unscaled one; everything is written below ``folder``."""
        self.config, self.folder, self.note = config, folder, note
        self.at = times(config, factor)
        self.scaled = scaled(config, factor)
        self.rules = alert_rules(config)
        self.clock = Clock()
        self.heard = Heard(self.clock, lambda text: note(f"{self.clock():6.1f} s  {text}"))
        self.spans: list[Span] = []
        self.stations: dict[str, Station] = {}
        self._wall = time.time()
        healthy = max(ENGINE_LEAST_MS, EXEC_MS_DEFAULT / factor - SDK_MS)
        self.doses: Doses = doses(alert_rules(self.scaled), healthy)
        self.healthy = Dials(exec_ms=healthy, memory=self.doses.healthy_memory)

    def kinds(self, chosen: Sequence[Incident]) -> list[Kind]:
        """The stations that the incidents need."""
        ids = dict.fromkeys(incident.endpoint(self.config) for incident in chosen)
        queue = all_incidents.QUEUE_DELAY.endpoint(self.config)
        return [
            Kind(endpoint_id=one, dials=self.healthy, jobs_at_once=TOO_FEW, callers=1)
            if one == queue
            else Kind(endpoint_id=one, dials=self.healthy, probed=one == self.config.endpoint.id)
            for one in ids
        ]

    async def drill(self, chosen: Sequence[Incident], prefix: str) -> Drill:
        """Conduct the whole drill of ``chosen``; its id begins with ``prefix``.

        Raises:
            MeasurementError: a program, an endpoint or the drill's own traffic failed.
        """
        self.note("starting Prometheus, two Alertmanagers, and for each incident an endpoint with its gateway")
        async with self._watched(chosen) as lost:
            quiet_from = self.clock()
            await self._until(lambda: self._beats() and bool(self.heard.lost_beats), self.at.beat_s)
            quiet = quiet_from + quiet_s(self.rules, self.at)
            self.note(f"{self.clock():6.1f} s  the Watchdog beats; healthy until {quiet:.0f} s: nobody may be told")
            await asyncio.sleep(max(0.0, quiet + LOOK_S - self.clock()))
            self.note(f"{self.clock():6.1f} s  now {len(chosen)} incidents")
            await self._incidents(chosen, lost)
            requests = {one.kind.endpoint_id: one.ended for one in self.stations.values()}
            ended = self.clock()
        return Drill(
            id=f"{prefix}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(self._wall))}",
            began_at=self._wall,
            seconds=ended,
            chosen=tuple(one.name for one in chosen),
            factor=self.at.factor,
            quiet_from=quiet_from,
            digests=digests(self.config),
            programs={"prometheus": version(PROMETHEUS), "alertmanager": version(ALERTMANAGER)},
            simulated=tuple(f"{one.name}: {one.simulated}" for one in chosen if one.simulated),
            requests=requests,
            spans=tuple(self.spans),
            arrivals=tuple(self.heard.arrivals),
            lost_beats=tuple(self.heard.lost_beats),
            strange=tuple(self.heard.strange),
        )

    @asynccontextmanager
    async def _watched(self, chosen: Sequence[Incident]) -> AsyncIterator["Mortal"]:
        """Sinks, both Alertmanagers, the stations and Prometheus, for as long as the context lasts."""
        async with AsyncExitStack() as stack:
            sink = stack.enter_context(listening(self.heard.keep))
            lost_sink = stack.enter_context(listening(self.heard.keep_lost))
            lost = Mortal(self._written(lost_sink, "mortal"), free_address())
            stack.push_async_callback(lost.end)
            address = free_address()
            own = watching.alertmanager_running(self._written(sink, "alertmanager"), address)
            await stack.enter_async_context(own)
            await lost.start()
            there = await stack.enter_async_context(
                stations(self.kinds(chosen), self.scaled, self.folder, self.at.probe_s)
            )
            self.stations = {one.kind.endpoint_id: one for one in there}
            await asyncio.gather(*(one.warm() for one in there))
            await stack.enter_async_context(
                watching.prometheus_running(
                    self._scale(rule_file(alert_rules(self.scaled))),
                    alertmanagers=[address, lost.address],
                    metrics=[one.metrics_address for one in there],
                    scrape_ms=round(self.at.scrape_s * 1000),
                    folder=self._folder("prometheus"),
                    scale=self._scale,
                )
            )
            yield lost

    def _scale(self, text: str) -> str:
        return scaled_text(text, self.at.factor)

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder

    def _written(self, sink: str, name: str) -> Path:
        return watching.write_alertmanager(self.config.alerts, sink, self._folder(name), self._scale)

    def _beats(self) -> bool:
        return any(arrival.alert == WATCHDOG for arrival in list(self.heard.arrivals))

    async def _until(self, seen: Callable[[], bool], limit_s: float) -> bool:
        """Wait until ``seen``, or ``limit_s``; whether it was."""
        until = self.clock() + limit_s
        while not seen():
            if self.clock() >= until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def _incidents(self, chosen: Sequence[Incident], lost: "Mortal") -> None:
        """All of them side by side; those of the declared endpoint's own service one after the other."""
        declared = [one for one in chosen if one.declared and one is not all_incidents.DEADMAN]
        async with asyncio.TaskGroup() as group:
            for one in (one for one in chosen if not one.declared):
                group.create_task(self._one_after_another([one]))
            group.create_task(self._one_after_another(declared))
            if all_incidents.DEADMAN in chosen:
                group.create_task(self._alerting_dies(lost))

    async def _one_after_another(self, some: Sequence[Incident]) -> None:
        for incident in some:
            await self._happens(incident)

    async def _happens(self, incident: Incident) -> None:
        """Cause it, wait for its alerts, end it, wait for their ends: each no longer than it may take."""
        endpoint = incident.endpoint(self.config)
        station = self.stations[endpoint]
        rules = [rule for rule in self.rules if incident_of(rule) is incident]
        began = self.clock()
        self.note(f"{began:6.1f} s  {incident.name}: {incident.does}")
        await self._cause(incident, station)
        limit = max(due(rule, self.at).fires_s for rule in rules)
        await self._until(lambda: all(self.heard.has(rule, endpoint, "firing", began) for rule in rules), limit)
        ended = await self._end(incident, station)
        self.note(f"{ended:6.1f} s  {incident.name} is over")
        self.spans.append(Span(incident=incident.name, endpoint=endpoint, began=began, ended=ended))
        limit = max(due(rule, self.at).resolves_s for rule in rules)
        await self._until(lambda: all(self.heard.has(rule, endpoint, "resolved", ended) for rule in rules), limit)

    async def _cause(self, incident: Incident, station: Station) -> None:
        """Break something."""
        match incident:
            case all_incidents.SLOW_EXECUTION:
                station.turn(Dials(exec_ms=self.doses.exec_ms, memory=self.healthy.memory))
            case all_incidents.QUEUE_DELAY:
                station.surge(MORE_CALLERS)
            case all_incidents.ERROR_SPIKE:
                await station.fault("failed", share=self.doses.failed_share)
            case all_incidents.SLOW_EDGE:
                await station.fault("slow", share=all_incidents.HELD_SHARE, seconds=self.doses.held_s)
            case all_incidents.MEMORY:
                station.turn(Dials(exec_ms=self.healthy.exec_ms, memory=self.doses.memory))
            case all_incidents.SILENCE:
                await station.close_gateway()
            case _:
                raise NotImplementedError(incident.name)

    async def _end(self, incident: Incident, station: Station) -> float:
        """Mend it; when it worked again (a gateway: when it began to), seconds after the drill's beginning."""
        if incident is all_incidents.SILENCE:
            ended = self.clock()
            await station.open_gateway()
            return ended
        station.turn(self.healthy)
        await station.calm()
        await station.clear()
        return self.clock()

    async def _alerting_dies(self, lost: "Mortal") -> None:
        """Kill the second Alertmanager until its switch has rung, and start it again."""
        began = self.clock()
        self.note(f"{began:6.1f} s  {all_incidents.DEADMAN.name}: {all_incidents.DEADMAN.does}")
        await lost.die()
        last = max(self.heard.lost_beats, default=began)
        await asyncio.sleep(max(0.0, last + PATIENCE * self.at.beat_s + LOOK_S - self.clock()))
        beats = len(self.heard.lost_beats)
        self.note(f"{self.clock():6.1f} s  deadman: no beat for {PATIENCE * self.at.beat_s:g} s: the switch rings")
        await lost.start()
        ended = self.clock()
        self.spans.append(
            Span(
                incident=all_incidents.DEADMAN.name,
                endpoint=all_incidents.DEADMAN.endpoint(self.config),
                began=began,
                ended=ended,
            )
        )
        await self._until(lambda: len(self.heard.lost_beats) > beats, self.at.beat_s + MARGIN_S)
        self.note(f"{self.clock():6.1f} s  deadman: it beats again")


class Mortal:
    """The Alertmanager that is killed."""

    def __init__(self, path: Path, address: str) -> None:
        """With the configuration at ``path``."""
        self.address, self._path = address, path
        self._stack = AsyncExitStack()
        self._program: Program | None = None

    async def start(self) -> None:
        """Start it (again)."""
        self._program = await self._stack.enter_async_context(watching.alertmanager_running(self._path, self.address))

    async def die(self) -> None:
        """SIGKILL."""
        if self._program is not None:
            await self._program.kill()

    async def end(self) -> None:
        """Nothing of it is left."""
        await self._stack.aclose()


def expected_s(rules: Sequence[AlertRule], config: Config, factor: int, names: Sequence[str] = ()) -> float:
    """How long the drill is expected to take, seconds: starting, a quiet time, the longest incidents, ending."""
    at = times(config, factor)
    chosen = [one for one in wanted(rules) if not names or one.name in names]
    takes = {
        one: max(
            due(rule, at).not_before_s + due(rule, at).resolves_s + at.window_s / 2
            for rule in rules
            if incident_of(rule) is one
        )
        for one in chosen
    }
    declared = sum(seconds for one, seconds in takes.items() if one.declared and one is not all_incidents.DEADMAN)
    switch = (PATIENCE + 1) * at.beat_s if all_incidents.DEADMAN in chosen else 0.0
    return START_S + quiet_s(tuple(rules), at) + max([*takes.values(), declared, switch], default=0.0)


async def conduct(config: Config, factor: int, folder: Path, note: Note, names: Sequence[str] = ()) -> Drill:
    """Drill ``config`` at ``factor`` in the empty ``folder``; only the incidents called ``names``, if any are given.

    Raises:
        MeasurementError: a program, an endpoint or the drill's own traffic failed.
    """
    every = wanted(alert_rules(config))
    chosen = [one for one in every if not names or one.name in names]
    whole = len(chosen) == len(every) and factor <= config.drill.time_factor
    try:
        return await Conductor(config, factor, folder, note).drill(chosen, EVIDENCE if whole else LOOK)
    except BaseExceptionGroup as errors:  # incidents go on side by side; the first reason is the reason
        raise errors.exceptions[0] from errors
