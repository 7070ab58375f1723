"""An ASGI application on a socket, for as long as a context lasts: uvicorn, without its own signal handlers."""

import asyncio
import errno
import math
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from go_live.errors import UsageError

LOOPBACK = "127.0.0.1"
KEEP_ALIVE_S = 75
"""As nginx: longer than clients keep an idle connection."""
BACKLOG = 1024


class Server(uvicorn.Server):
    """Whoever serves decides when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    def stop_now(self) -> None:
        """End without waiting for what is under way."""
        self.should_exit = self.force_exit = True


@asynccontextmanager
async def serving(app: ASGIApp, *, host: str, port: int, grace_s: float) -> AsyncIterator[tuple[Server, str]]:
    """Serve ``app`` (port 0: any free one); the server and its URL. What is under way at the end has ``grace_s``.

    Raises:
        UsageError: the address is taken, or is none of this machine.
    """
    bound = _bind(host, port)
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=math.ceil(grace_s),
            backlog=BACKLOG,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        host, port = bound.getsockname()[:2]
        yield server, f"http://{host}:{port}"
    except asyncio.CancelledError:
        server.stop_now()
        raise
    finally:
        server.should_exit = True
        await running


def _bind(host: str, port: int) -> socket.socket:
    """A listening address.

    Raises:
        UsageError: it is taken, or is no address of this machine.
    """
    try:
        bound = socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} is taken; choose another, or 0 for any free one") from error
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    # Connections inherit it. asyncio sets it only where the socket names its protocol; without it, an answer's body
    # waits up to 40 ms for the acknowledgement of its header.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound
