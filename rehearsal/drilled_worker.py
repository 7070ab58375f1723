"""``python -m rehearsal.drilled_worker``: the timed worker with dials that the alert drill turns while it runs.

The file that DRILL_DIALS names says how long each answer takes and which share of a device's memory the probe tells.
There is no device: that figure is simulated, and every answer names the timed engine.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from rehearsal.timed_worker import TimedEngine
from worker import settings
from worker.serve import serve
from worker.settings import Settings

VARIABLE = "DRILL_DIALS"
MEMORY_MIB = 24_564
"""Of the device that there is not: an RTX 4090's."""


class DrilledEngine(TimedEngine):
    """A timed engine whose time and memory are read anew for each answer."""

    def __init__(self, chosen: Settings, dials: Path) -> None:
        """``dials`` is a JSON file with ``exec_ms`` and ``memory``."""
        super().__init__(chosen)
        self._dials = dials

    def _drawn(self, now: float, right: str) -> tuple[float, str]:
        """As the dials say."""
        del now
        return float(self._read()["exec_ms"]) / 1000, right

    def facts(self) -> dict[str, Any]:
        """With the memory that the dials say."""
        used = round(float(self._read()["memory"]) * MEMORY_MIB)
        return super().facts() | {"device_memory_used_mib": used, "device_memory_total_mib": MEMORY_MIB}

    def _read(self) -> dict[str, float]:
        dials: dict[str, float] = json.loads(self._dials.read_bytes())
        return dials


def main() -> int:
    """Run until SIGTERM; 2 where the settings are wrong."""
    parsers = {name: parse for name, parse in settings.PARSERS.items() if name != "MODEL_PATH"}
    values, wrong = settings.collect(os.environ, parsers)
    dials = os.environ.get(VARIABLE, "")
    if not dials:
        wrong = [*wrong, f"{VARIABLE} is not set"]
    try:
        settings.raise_if_any(wrong)
    except settings.SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    chosen = Settings(**values, warnings=settings.misspelt(os.environ))
    serve(DrilledEngine(chosen, Path(dials)), chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
