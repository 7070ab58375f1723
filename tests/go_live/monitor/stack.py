"""What the tests of the real programs share: a sink that can be waited for, and times of which nothing is divided."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from go_live.monitor.stack import sink
from go_live.monitor.stack.sink import Sent

WITHIN_S = 40


@dataclass
class Sink:
    """Stands for PagerDuty, Slack and the dead-man's switch; keeps what it is sent."""

    url: str = ""
    sent: list[Sent] = field(default_factory=list)

    async def wait_for(self, path: str, *texts: str) -> Sent:
        """The first notification to ``path`` that contains all ``texts``."""
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            for sent in list(self.sent):
                if sent.path == path and all(text in json.dumps(sent.body) for text in texts):
                    return sent
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing with {texts!r} arrived at {path}; there is {self.sent}")


@contextmanager
def listening() -> Iterator[Sink]:
    """A webhook server on loopback."""
    kept = Sink()
    with sink.listening(kept.sent.append) as kept.url:
        yield kept


def hurried(text: str) -> str:
    """Alertmanager's configuration, but it groups for a second and no longer."""
    return text.replace("group_wait: 10s", "group_wait: 0s").replace("group_interval: 1m", "group_interval: 1s")
