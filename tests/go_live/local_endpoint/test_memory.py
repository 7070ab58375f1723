"""The workers' resident memory, as the operator sees it."""

import psutil

from go_live.local_endpoint.launch import LaunchedEndpoint


def test_memory_is_told_of_each_worker(sdk_endpoint: LaunchedEndpoint) -> None:
    """Each worker that is ready is there, with its own memory and that of everything below it."""
    pids = {worker["id"]: worker["pid"] for worker in sdk_endpoint.workers()}
    told = sdk_endpoint.memory()
    assert told
    for worker, size in told.items():
        # The worker alone is the least of it; a process may give a page back between the two looks.
        assert size > 0.9 * psutil.Process(pids[worker]).memory_info().rss > 0
