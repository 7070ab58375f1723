"""Defects of the gateway: one too many in flight, and admitted requests that are slow."""

from selftest.control import Change, Control
from selftest.controls.load import after


def _behind(name: str, reason: str, change: Change) -> Control:
    """A control of what many callers meet at the gateway."""
    return Control(id=name, item="CLI-2", reason=reason, scene="levels", changes=(change,))


GATEWAY = (
    _behind(
        "the-cap-is-one-too-high",
        "5 requests were in flight",
        Change(
            file="go_live/gateway/serving.py",
            old="        cap=effective_cap(config),\n",
            new="        cap=effective_cap(config) + 1,\n",
        ),
    ),
    _behind(
        "a-place-is-free-before-its-job-has-ended",
        "requests were in flight",
        Change(
            file="go_live/gateway/upstream.py",
            old="            self._note(job, await asyncio.shield(sending))\n",
            new="            self._note(job, await asyncio.shield(sending))\n"
            "            self.admission.leave()\n"
            "            self.admission.line.under_way += 1\n",
        ),
    ),
    _behind(
        "the-gateway-dawdles",
        "total p50",
        after(
            ("go_live/gateway/upstream.py", "            self._note(job, await asyncio.shield(sending))\n"),
            "await asyncio.sleep(1.5)",
        ),
    ),
)
