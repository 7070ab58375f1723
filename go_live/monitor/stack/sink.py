"""A webhook server on loopback that stands for PagerDuty, Slack and the dead-man's switch."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Sent(NamedTuple):
    """One notification."""

    path: str
    authorization: str | None
    body: Mapping[str, Any]


@contextmanager
def listening(keep: Callable[[Sent], None]) -> Iterator[str]:
    """Its address, while it listens; ``keep`` hears of each notification, in a thread of the server's."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                body = json.loads(content)
            except ValueError:
                body = {"unreadable": content.decode(errors="replace")[:200]}
            keep(Sent(self.path, self.headers["Authorization"], body))
            self.send_response(202)  # what PagerDuty answers; Slack and webhooks want any 2xx
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing: what was sent is kept."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
