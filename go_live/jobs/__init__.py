"""The one client of the job API: everything that sends a job goes through ``Endpoint``.

``classify`` (pure) turns a response into an ``Answer``; ``Endpoint`` (aiohttp) gets the response.
"""

from go_live.jobs.answer import Answer, Chunk
from go_live.jobs.client import Endpoint
from go_live.jobs.transport import Health, JobApiError, Reply, TransportError

__all__ = ["Answer", "Chunk", "Endpoint", "Health", "JobApiError", "Reply", "TransportError"]
