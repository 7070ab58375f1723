"""INF-3: what the endpoint may run on, and what its workers do run on. Pure."""

from go_live.management.models import Gpu
from go_live.management.table import Live, Row
from go_live.outcome import Outcome

POOLS = {
    "NVIDIA RTX A4000": "AMPERE_16",
    "NVIDIA RTX A4500": "AMPERE_16",
    "NVIDIA RTX 4000 Ada Generation": "AMPERE_16",
    "NVIDIA RTX 2000 Ada Generation": "AMPERE_16",
    "NVIDIA L4": "AMPERE_24",
    "NVIDIA RTX A5000": "AMPERE_24",
    "NVIDIA GeForce RTX 3090": "AMPERE_24",
    "NVIDIA GeForce RTX 4090": "ADA_24",
    "NVIDIA RTX A6000": "AMPERE_48",
    "NVIDIA A40": "AMPERE_48",
    "NVIDIA L40": "ADA_48_PRO",
    "NVIDIA L40S": "ADA_48_PRO",
    "NVIDIA RTX 6000 Ada Generation": "ADA_48_PRO",
    "NVIDIA A100 80GB PCIe": "AMPERE_80",
    "NVIDIA A100-SXM4-80GB": "AMPERE_80",
    "NVIDIA H100 80GB HBM3": "ADA_80_PRO",
    "NVIDIA H100 PCIe": "ADA_80_PRO",
    "NVIDIA H200": "HOPPER_141",
    "NVIDIA B200": "BLACKWELL_180",
}
"""GPU type -> pool, for when the platform's catalog cannot be read (RunPod documentation, GPU types)."""


def gpu_rows(declared: str, live: Live) -> tuple[Row, ...]:
    """What the configuration allows, and where workers were placed."""
    return (pool_row(declared, live), placed_row(declared, live))


def pool_row(declared: str, live: Live) -> Row:
    """The endpoint may run on the declared GPU, and on no other."""
    gpu = live.endpoint.gpu
    if gpu is None:
        return _row(declared, "CPUs", Outcome.FAIL, "the endpoint runs on CPUs")
    known = pools(live)
    shown = _shown(gpu)
    if declared in {pool for pool in known.values() if pool}:
        whole = gpu.pools == (declared,) and not gpu.excluded_types
        said = f"workers may run on {shown}, declared is the whole pool {declared}"
        return _row(declared, shown, Outcome.PASS if whole else Outcome.FAIL, said)
    if declared not in known:
        return _row(declared, shown, Outcome.ERROR, f"no GPU or pool is called {declared!r}: correct endpoint.expected")
    if unknown := [pool for pool in gpu.pools if pool not in known.values()]:
        said = f"which GPUs are in the pool {', '.join(unknown)} is not known here"
        return _row(declared, shown, Outcome.ERROR, said)
    allowed = {name for name, pool in known.items() if pool in gpu.pools} - {*map(str.strip, gpu.excluded_types)}
    if allowed == {declared}:
        return _row(declared, shown, Outcome.PASS, f"workers run on {declared} alone ({shown})")
    others = sorted(allowed - {declared})
    missing = "" if declared in allowed else f"not on {declared}"
    also = f"on {', '.join(others)}" if others else ""
    said = f"workers may run {' but '.join(filter(None, (also, missing))) or 'on nothing'} ({shown})"
    return _row(declared, shown, Outcome.FAIL, said)


def placed_row(declared: str, live: Live) -> Row:
    """Each worker that was placed runs on the declared GPU."""
    setting = "workers' GPU"
    placed = [(one.id, one.gpu_type_id) for one in live.workers.workers if one.gpu_type_id]
    known = pools(live)
    wrong = [f"{worker} on {gpu}" for worker, gpu in placed if declared not in {gpu, known.get(gpu)}]
    shown = ", ".join(sorted({gpu for _, gpu in placed})) or "no worker is placed"
    if wrong:
        return _row(declared, shown, Outcome.FAIL, f"{len(wrong)} of {len(placed)}: {wrong[0]}", setting)
    if not placed:
        # The configuration is judged above; where it allows one GPU, there is nothing else to be placed on.
        return _row(declared, shown, Outcome.PASS, "no worker is placed now; the selection above decides", setting)
    return _row(declared, shown, Outcome.PASS, f"{len(placed)} workers, all on the declared GPU", setting)


def pools(live: Live) -> dict[str, str | None]:
    """GPU type -> pool: the platform's catalog, else what golive knows."""
    return live.pools or dict(POOLS)


def _shown(gpu: Gpu) -> str:
    without = f" without {', '.join(gpu.excluded_types)}" if gpu.excluded_types else ""
    return f"{', '.join(gpu.pools)}{without}"


def _row(declared: str, live: str, outcome: Outcome, reason: str, setting: str = "GPU") -> Row:
    return Row(item="INF-3", setting=setting, declared=declared, live=live, outcome=outcome, reason=reason)
