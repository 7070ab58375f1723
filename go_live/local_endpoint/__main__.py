"""``python -m go_live.local_endpoint``: one endpoint, for :mod:`go_live.local_endpoint.launch`.

The first line of stdin is the settings (keys never stand in argv). The first line of stdout is ``{"url": ...}`` once it
listens, or ``{"error": ...}``. It ends on SIGTERM, or when stdin ends: it cannot outlive the process that launched it.
"""

import asyncio
import json
import logging
import sys

from go_live.errors import ExitCode, GoliveError
from go_live.local_endpoint.server import Endpoint
from go_live.local_endpoint.serving import serve
from go_live.local_endpoint.settings import decode


def main() -> int:
    """Serve; the exit code is the error's, or 0."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    try:
        settings = decode(sys.stdin.buffer.readline())
        asyncio.run(serve(settings, _announce, exit_with_parent=True))
    except GoliveError as error:
        _say({"error": str(error)})
        return error.exit_code
    return ExitCode.GO


def _announce(endpoint: Endpoint) -> None:
    _say({"url": endpoint.url})


def _say(message: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
