"""Reading a gateway's /metrics again and again: what was heard, and when."""

import asyncio
import logging
import time
from collections.abc import Callable
from http import HTTPStatus

import aiohttp

from go_live.config import Config
from go_live.monitor.live.exposition import read
from go_live.monitor.live.history import History
from go_live.monitor.live.view import Heard

LOG = logging.getLogger("golive.monitor")
MAX_BYTES = 4_000_000
"""Some thousand endpoints' metrics; what is larger is something else."""


class Reader:
    """Keeps the history of one gateway's metrics."""

    def __init__(self, url: str, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        """Read ``url`` as golive.toml says: how often, and how far back is remembered."""
        dashboard = config.dashboard
        self.url, self.clock = url, clock
        self.history = History(keep_s=dashboard.page_history_minutes * 60, every_s=dashboard.page_every_s)
        self.heard = Heard(None, "it has not been asked yet")
        self._every_s = dashboard.page_every_s

    async def keep_reading(self) -> None:
        """Read now and then, until cancelled. A reading that fails is told, and the next one is due as ever."""
        timeout = aiohttp.ClientTimeout(total=self._every_s)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as http:
            due = self.clock()
            while True:
                await self.read_once(http)
                due = max(due + self._every_s, self.clock())
                await asyncio.sleep(due - self.clock())

    async def read_once(self, http: aiohttp.ClientSession) -> None:
        """Read once, and keep what came."""
        try:
            scraped = read(await self._text(http))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            problem = _problem(error)
            if problem != self.heard.problem:
                LOG.warning("%s: %s", self.url, problem)
            self.heard = Heard(self.heard.at, problem)
            return
        if self.heard.problem:
            LOG.info("%s: heard", self.url)
        now = self.clock()
        self.history.add(now, scraped)
        self.heard = Heard(now, "")

    async def _text(self, http: aiohttp.ClientSession) -> str:
        """The body.

        Raises:
            ValueError: it is refused, too large, or no text.
            aiohttp.ClientError: nothing came.
        """
        async with http.get(self.url, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.OK:
                raise ValueError(f"it answers {answer.status}")
            body = await answer.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and (more := await answer.content.read(MAX_BYTES + 1 - len(body))):
                body += more
        if len(body) > MAX_BYTES:
            raise ValueError("what it serves is too large for metrics")
        return body.decode("utf-8")


def _problem(error: Exception) -> str:
    """Why nothing was read, in a few words."""
    match error:
        case TimeoutError():
            return "it did not answer in time"
        case aiohttp.ClientConnectorError():
            return "it cannot be reached"
        case UnicodeDecodeError():
            return "what it serves are no metrics"
        case ValueError():
            return str(error)
        case _:
            return f"its answer broke off ({type(error).__name__})"
