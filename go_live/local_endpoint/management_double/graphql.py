"""The GraphQL query that golive asks, as the platform answers it. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from go_live.local_endpoint.management_double.endpoint import DoubledEndpoint

QUERY = re.compile(r"^\s*query\s*\{\s*myself\s*\{\s*endpoints\s*\{(?P<fields>[\sA-Za-z]*)\}\s*\}\s*\}\s*$")


def answer(query: str, endpoints: Iterable[DoubledEndpoint], *, silent: bool) -> dict[str, Any]:
    """``data``, or ``errors`` for what is not understood (HTTP 200 both).

    Args:
        query: as it was sent.
        endpoints: of the account.
        silent: whether the idle timeout is null.
    """
    asked = QUERY.match(query)
    if asked is None:
        return {"errors": [{"message": "Syntax Error or unknown operation"}]}
    fields = asked["fields"].split()
    told = [_told(endpoint, silent=silent) for endpoint in endpoints]
    unknown = sorted({name for name in fields for one in told if name not in one})
    if unknown:
        return {"errors": [{"message": f'Cannot query field "{name}" on type "Endpoint".'} for name in unknown]}
    return {"data": {"myself": {"endpoints": [{name: one[name] for name in fields} for one in told]}}}


def _told(endpoint: DoubledEndpoint, *, silent: bool) -> dict[str, Any]:
    """The legacy shape of an endpoint."""
    config = endpoint.config
    scaling, gpu = config["scaling"], config.get("gpu") or {"pools": [], "excludedTypes": []}
    return {
        "id": config["id"],
        "name": config["name"],
        "idleTimeout": None if silent else config["workers"]["idleTimeout"],
        "templateId": endpoint.template_id,
        "scalerType": scaling["type"],
        "scalerValue": scaling.get("requestCount", scaling.get("queueDelay")),
        "workersMin": config["workers"]["min"],
        "workersMax": config["workers"]["max"],
        "gpuIds": ",".join([*gpu["pools"], *(f"-{name}" for name in gpu["excludedTypes"])]),
        "version": endpoint.version,
    }
