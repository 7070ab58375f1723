"""The one answer to "how many requests may be in flight". Pure.

It is ``client.concurrency_cap``, or, where golive.toml declares a ``client.cap_record``, what that record says. A
declared record is never passed over: whoever asks before it was read (:func:`go_live.tuning.adopting.with_cap`) is
refused.
"""

from go_live.config import Config
from go_live.errors import UsageError


def effective_cap(config: Config) -> int:
    """The client cap that holds.

    Raises:
        UsageError: golive.toml declares a record that nobody has read.
    """
    client = config.client
    if client.measured is not None:
        return client.measured.cap
    if client.cap_record is not None:
        raise UsageError(
            f"client.cap_record = {client.cap_record!r} was not read: nothing may fall back to concurrency_cap unseen"
        )
    return client.concurrency_cap


def cap_told(config: Config) -> str:
    """The cap and where it comes from: ``8, measured 2026-11-24T18:00:00Z (tuning/record.json, sha256 0123456789ab)``.

    Raises:
        UsageError: as :func:`effective_cap`.
    """
    measured = config.client.measured
    if measured is None:
        return f"{effective_cap(config)} (client.concurrency_cap)"
    return f"{measured.cap}, measured {measured.measured_at} ({measured.record}, sha256 {measured.sha256[:12]})"
