"""The page on loopback, for as long as a context lasts, beside the reader that it shows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from go_live.asgi import LOOPBACK, serving
from go_live.config import Config
from go_live.monitor.live.app import Page
from go_live.monitor.live.reading import Reader


@asynccontextmanager
async def page(config: Config, metrics_url: str, *, port: int) -> AsyncIterator[tuple[str, Reader]]:
    """Serve the page about what ``metrics_url`` tells (port 0: any free one); its URL, and the reader behind it.

    Raises:
        UsageError: the port is taken.
    """
    reader = Reader(metrics_url, config)
    async with serving(Page(reader, config).asgi, host=LOOPBACK, port=port, grace_s=1) as (_, url):
        reading = asyncio.create_task(reader.keep_reading())
        try:
            yield url, reader
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
