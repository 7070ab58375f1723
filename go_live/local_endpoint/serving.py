"""Serving one endpoint until a signal, or until the process that started it is gone."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from go_live.local_endpoint.server import Endpoint, running
from go_live.local_endpoint.settings import EndpointSettings


async def serve(
    settings: EndpointSettings, on_listening: Callable[[Endpoint], None], *, exit_with_parent: bool = False
) -> None:
    """Serve until SIGINT or SIGTERM; a second one kills the workers instead of draining them.

    Args:
        settings: the endpoint.
        on_listening: called once it answers.
        exit_with_parent: also end when stdin reaches its end, as it does when the process holding its other end dies.

    Raises:
        UsageError: the port is taken, or the directory cannot be written.
    """
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    async with running(settings) as endpoint:

        def stop() -> None:
            if asked.is_set():
                endpoint.fleet.kill_all()
            asked.set()

        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop)
        if exit_with_parent:
            loop.add_reader(sys.stdin.fileno(), _until_end, loop, asked)
        on_listening(endpoint)
        await asked.wait()


def _until_end(loop: asyncio.AbstractEventLoop, asked: asyncio.Event) -> None:
    fd = sys.stdin.fileno()
    if not os.read(fd, 4096):
        loop.remove_reader(fd)
        asked.set()
