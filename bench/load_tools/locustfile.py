"""Run by Locust's own interpreter: so many chat requests, then the exit code as Locust's documentation sets it."""

import itertools
import json
import os
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]  # neither is in this environment
from locust import HttpUser, constant, events, task  # type: ignore[import-not-found]
from locust.exception import StopUser  # type: ignore[import-not-found]

REQUESTS = int(os.environ["GATE_REQUESTS"])
PROMPTS = os.environ["GATE_PROMPTS"].split("\n")
SENT, ENDED = itertools.count(), itertools.count(1)


class Asker(HttpUser):  # type: ignore[misc]  # its base is not known here
    """Asks the next prompt until all are asked."""

    wait_time = constant(0)

    @task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        """One request."""
        number = next(SENT)
        if number >= REQUESTS:
            raise StopUser
        self.client.post(
            "/v1/chat/completions",
            json={
                "model": os.environ["GATE_MODEL"],
                "messages": [{"role": "user", "content": PROMPTS[number % len(PROMPTS)]}],
                "max_tokens": 150,
            },
            headers={"Authorization": f"Bearer {os.environ['GATE_KEY']}"},
        )


@events.init.add_listener  # type: ignore[untyped-decorator]
def stop_when_all_have_ended(environment: Any, **_: Any) -> None:
    """Locust itself ends by time, not by count."""

    def ended(**_: Any) -> None:
        if next(ENDED) == REQUESTS:
            gevent.spawn(environment.runner.quit)

    environment.events.request.add_listener(ended)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def decide(environment: Any, **_: Any) -> None:
    """Fail ratio and p95, as in the documentation; its own figures are written down."""
    total = environment.stats.total
    said = {"requests": total.num_requests, "failures": total.num_failures}
    said["p95_ms"] = total.get_response_time_percentile(0.95)
    Path(os.environ["GATE_OUT"]).write_text(json.dumps(said), encoding="utf-8")
    bad = total.fail_ratio > float(os.environ["GATE_FAIL_RATIO"])
    slow = total.get_response_time_percentile(0.95) > float(os.environ["GATE_P95_MS"])
    environment.process_exit_code = 1 if bad or slow else 0
