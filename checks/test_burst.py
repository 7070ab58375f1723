"""INF-6: does the endpoint grow when it has to. Judged from the records and the looks at /health that the log keeps."""

from go_live.gate import Gate
from go_live.judge.burst import Seen, brought_up
from go_live.pytest_plugin import Verdicts, item


@item("INF-6")
def test_a_burst_brings_up_all_workers(burst: Seen, gate: Gate, verdict: Verdicts) -> None:
    """More requests at once than the warm workers can take bring up the declared number of workers in time."""
    workers_max = gate.config.endpoint.expected.workers_max
    verdict(brought_up(burst, gate.requests, gate.config.burst, workers_max=workers_max, allow_timed=gate.allow_timed))
