"""Defects that show under load: slow, failing and wrong answers, and a client that measures itself."""

import re
import zlib

from go_live.outcome import Outcome
from selftest.control import Change, Control

GENERATING = ("worker/handler.py", "        generated = 0\n")
"""Where the worker begins to answer a request."""
RESPONDING = (
    "worker/handler.py",
    "        response = _response(request, intent, deltas, validation, (len(prompt), generated))\n",
)
"""Where the worker has its response."""
CLASSIFYING = ("worker/handler.py", "        intent = intents.classify(request.prompt)\n")
"""Where the worker has accepted a request."""
REPLYING = ("go_live/local_endpoint/api.py", "            await self._exchange.wait_terminal(job, wait_s)\n")
"""Where the endpoint has the answer of a /runsync call."""
ADMITTING = (
    "go_live/local_endpoint/mishaps.py",
    "        if fault := self._faults.use(Scenario.SLOW, operation):\n",
)
"""Where the endpoint begins to serve a call of the job API."""
RUNNER, EVENTS = "go_live/load/runner.py", "worker/events.py"


def before(place: tuple[str, str], code: str) -> Change:
    """``code`` is run before ``place``; ``self.turn`` in it counts how often this place was reached, from 1."""
    return _beside(place, f"{code}\n", "")


def after(place: tuple[str, str], code: str) -> Change:
    """As ``before``, behind it."""
    return _beside(place, "", f"{code}\n")


def _beside(place: tuple[str, str], ahead: str, behind: str) -> Change:
    file, line = place
    margin = " " * (len(line) - len(line.lstrip()))
    # Two defects of one run may count the same object's turns, each at its own place.
    counter = f"turn_{zlib.crc32(line.encode())}"
    turn = f'self.{counter} = getattr(self, "{counter}", 0) + 1\n'
    code = (turn + ahead if ahead else "") + line.lstrip() + (turn + behind if behind else "")
    code = re.sub(r"\bself\.turn\b", f"self.{counter}", code)
    return Change(file=file, old=line, new="".join(f"{margin}{part}\n" for part in code.splitlines()))


def under(
    scene: str,
    name: str,
    item: str,
    reason: str,
    change: Change,
    *,
    outcome: Outcome = Outcome.FAIL,
    disturbs: tuple[str, ...] = (),
) -> Control:
    """A control under load."""
    return Control(
        id=name, item=item, reason=reason, scene=scene, changes=(change,), outcome=outcome, disturbs=disturbs
    )


def sleeping(seconds: str, when: str = "True") -> str:
    """Code that pauses one request."""
    return f'if {when}: await __import__("asyncio").sleep({seconds})'


def saying(line: str) -> str:
    """Code of the worker that writes a line to its log, once."""
    return f'if self.turn == 5: __import__("sys").stderr.write({line!r} + chr(10))'


FOURTH = "self.turn % 4 == 0"
TENTH = "self.turn % 10 == 0"

LEVELS = (
    under(
        "levels",
        "the-platform-counts-too-much",
        "PERF-10",
        "the platform counts more time than the client saw pass",
        Change(
            file=RUNNER,
            old="        delay_ms=answer.delay_ms,\n",
            new="        delay_ms=(answer.delay_ms or 0.0) + 60_000,\n",
        ),
        outcome=Outcome.ERROR,
        disturbs=("PERF-5", "PERF-11"),
    ),
    under(
        "levels",
        "warm-requests-are-late",
        "PERF-11",
        "0 of 64 requests were cold",
        after(REPLYING, sleeping("1.6", FOURTH)),
        disturbs=("PERF-4", "PERF-8", "PERF-11"),
    ),
    under(
        "levels",
        "every-execution-is-slow",
        "PERF-1",
        "exec p50",
        after(GENERATING, sleeping("0.6")),
        disturbs=("PERF-2", "PERF-3", "PERF-4", "PERF-5", "PERF-8", "PERF-11"),
    ),
    under(
        "levels",
        "one-execution-in-four-is-slow",
        "PERF-2",
        "exec p95",
        after(GENERATING, sleeping("0.8", FOURTH)),
        disturbs=("PERF-4", "PERF-11"),
    ),
    under(
        "levels",
        "every-reply-is-late",
        "PERF-3",
        "total p50",
        after(REPLYING, sleeping("1.5")),
        disturbs=("PERF-4", "PERF-8", "PERF-11"),
    ),
    under(
        "levels",
        "one-reply-in-four-is-late",
        "PERF-4",
        "total p95",
        after(REPLYING, sleeping("1.5", FOURTH)),
        disturbs=("PERF-11",),
    ),
    under(
        "levels",
        "jobs-lie-in-the-queue",
        "PERF-5",
        "queue p50",
        Change(
            file="go_live/local_endpoint/exchange.py",
            old="        job = self.store.submit(request, policy, sync=sync, held=held)\n",
            new="        job = self.store.submit(request, policy, sync=sync, held=True)\n"
            "        asyncio.get_running_loop().call_later(1.0, self.release, job)\n",
        ),
        disturbs=("PERF-3", "PERF-4", "PERF-8", "PERF-11"),
    ),
    under(
        "levels",
        "tokens-are-few",
        "PERF-8",
        "tokens/s",
        Change(file="worker/handler.py", old='"output": generated,', new='"output": generated // 100,'),
    ),
    under(
        "levels",
        "queue-times-are-not-told",
        "PERF-10",
        "delayTime is missing",
        Change(
            file="go_live/local_endpoint/api.py",
            old="    if job.delay_ms is not None:\n",
            new="    if job.delay_ms is not None and not job.id:\n",
        ),
        outcome=Outcome.ERROR,
        disturbs=("PERF-5", "PERF-11"),
    ),
    under(
        "levels",
        "cold-requests-are-late",
        "PERF-11",
        "cold",
        Change(
            file="golive.toml",
            old='TIMED_EXEC_MS = "20"',
            new='TIMED_EXEC_MS = "20"\nTIMED_DIES_AT_JOB = "30"',
        ),
        disturbs=("PERF",),
    ),
)

STEADY = (
    under(
        "steady",
        "one-job-in-ten-fails",
        "PERF-6",
        "success rate",
        after(GENERATING, f'if {TENTH}: raise KeyError("lost")'),
        disturbs=("PERF-7", "SOAK"),
    ),
    under(
        "steady",
        "one-call-in-ten-is-a-server-error",
        "PERF-6",
        "success rate",
        before(ADMITTING, f"if {TENTH}: return web.json_response({{}}, status=500)"),
        disturbs=("PERF-7", "SOAK"),
    ),
    under(
        "steady",
        "one-call-in-ten-is-cut-off",
        "PERF-6",
        "success rate",
        Change(
            file="go_live/local_endpoint/mishaps.py",
            old="        dropped = self._faults.use(Scenario.DROPPED, operation)\n",
            new='        self.turn = getattr(self, "turn", 0) + 1\n        dropped = self.turn % 10 == 0\n',
        ),
        disturbs=("PERF-7", "SOAK"),
    ),
    under(
        "steady",
        "one-answer-in-ten-is-wrong",
        "PERF-7",
        "right answers",
        after(
            RESPONDING,
            f'if {TENTH}: response["choices"][0]["text"] = "I do not know."',
        ),
        disturbs=("SOAK", "PERF-6"),  # it ends the soak early, which leaves the success rate open
    ),
    under(
        "steady",
        "the-client-sends-late",
        "PERF-9",
        "the load client itself was measured",
        before(
            (RUNNER, "        answer = await self.complete(prompt.input, deadline_s=self.plan.deadline_s)\n"),
            "await self.clock.sleep(0.6)",
        ),
        outcome=Outcome.ERROR,
        disturbs=("SOAK",),
    ),
    under(
        "steady",
        "one-record-in-fifty-is-lost",
        "PERF-9",
        "records are missing or doubled",
        Change(
            file=RUNNER,
            old="        self.on_record(record)\n",
            new="        if record.seq % 50 != 20:\n            self.on_record(record)\n",
        ),
        outcome=Outcome.ERROR,
    ),
    under(
        "steady",
        "the-clock-stands-still",
        "PERF-9",
        "zero or below",
        Change(
            file=RUNNER,
            old="        self.on_record(record)\n",
            new="        self.on_record(msgspec.structs.replace(record, done=record.due))\n",
        ),
        outcome=Outcome.ERROR,
        disturbs=("*",),
    ),
    under(
        "steady",
        "the-clock-is-set",
        "PERF-9",
        "2.000 s between requests",
        Change(
            file=RUNNER,
            old="        return wall + at - (before + after) / 2\n",
            new="        return wall + at - (before + after) / 2 + (2.0 if self.hits > 50 else 0.0)\n",
        ),
        outcome=Outcome.ERROR,
    ),
    under(
        "steady",
        "slots-stand-idle",
        "PERF-9",
        "were in flight on average",
        Change(
            file=RUNNER,
            old="            free = pacing.slot_free(free, done, ok=ended.ok)\n",
            new="            free = pacing.slot_free(free, done, ok=ended.ok) + 0.1\n",
        ),
        outcome=Outcome.ERROR,
        disturbs=("PERF-6", "PERF-7"),  # the same time holds fewer requests
    ),
    under(
        "steady",
        "out-of-memory-in-the-log",
        "LOG-1",
        "CUDA out of memory",
        after(GENERATING, saying("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")),
    ),
    under(
        "steady",
        "a-traceback-in-the-log",
        "LOG-1",
        "a traceback",
        after(GENERATING, saying("Traceback (most recent call last):")),
    ),
    under(
        "steady",
        "a-gpu-error-in-the-log",
        "LOG-1",
        "a GPU error",
        after(GENERATING, saying("NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus.")),
    ),
    under(
        "steady",
        "a-time-out-in-the-log",
        "LOG-2",
        "a time-out",
        after(CLASSIFYING, saying("Read timed out.")),
    ),
    under(
        "steady",
        "logged-times-are-long",
        "LOG-3",
        "logged exec_ms",
        Change(
            file=EVENTS, old="(self._clock() - self._began) * 1000", new="(self._clock() - self._began) * 1_000_000"
        ),
    ),
    under(
        "steady",
        "log-lines-name-no-job",
        "LOG-3",
        "requests found their end line",
        Change(
            file="worker/handler.py",
            old='events.JobLog(str(job.get("id")), self._write, self._clock)',
            new='events.JobLog("job", self._write, self._clock)',
        ),
        outcome=Outcome.ERROR,
        disturbs=("LOG",),  # a log of which nothing was found shows no absence
    ),
)

SOAK = (
    under(
        "soak",
        "the-worker-dies-now-and-then",
        "INF-5",
        "requests were cold",
        after(GENERATING, 'if self.turn == 60: __import__("os")._exit(1)'),
        disturbs=("SOAK",),
    ),
    under(
        "soak",
        "every-reply-of-the-soak-is-late",
        "SOAK-1",
        "total p50",
        after(REPLYING, sleeping("1.2")),
        # What is certain to fail is ended early: every other claim on the soak is then open.
        disturbs=("SOAK",),
    ),
    under(
        "soak",
        "one-reply-of-the-soak-in-four-is-late",
        "SOAK-2",
        "total p95",
        after(REPLYING, sleeping("1.5", FOURTH)),
        disturbs=("SOAK",),
    ),
    under(
        "soak",
        "execution-grows-slower",
        "SOAK-3",
        "exec_ms changed by +",
        after(GENERATING, sleeping("0.002 * self.turn")),
        disturbs=("SOAK-4", "SOAK-2"),
    ),
    under(
        "soak",
        "replies-grow-slower",
        "SOAK-4",
        "tokens/s changed by -",
        after(REPLYING, sleeping("0.002 * self.turn")),
        disturbs=("SOAK-2",),
    ),
    under(
        "soak",
        "the-proxy-gives-up",
        "SOAK-5",
        "requests ended in a timeout",
        before(
            ADMITTING,
            'if self.turn % 40 == 0: return web.Response(status=524, text=PAGE_524, content_type="text/html")',
        ),
        disturbs=("SOAK-2", "SOAK-4"),
    ),
    under(
        "soak",
        "the-soak-is-cut-short",
        "SOAK-5",
        "the soak was cut short",
        Change(
            file=RUNNER,
            old="        return Limits(requests=self.requests, duration_s=self.duration_s)\n",
            new="        return Limits(requests=self.requests, duration_s=self.duration_s and self.duration_s / 2)\n",
        ),
        outcome=Outcome.ERROR,
        disturbs=("SOAK-1", "SOAK-2", "SOAK-3", "SOAK-4"),
    ),
)

WEAR = (
    under(
        "wear",
        "right-answers-wear-off",
        "SOAK-6",
        "right answers changed by -",
        after(RESPONDING, 'if self.turn % 40 < self.turn // 20: response["choices"][0]["text"] = "I do not know."'),
    ),
    under(
        "wear",
        "the-worker-leaks",
        "SOAK-6",
        "memory of w1 changed by +",
        after(GENERATING, 'self.leak = [*getattr(self, "leak", []), b"x" * 400_000]'),
    ),
)
