"""``python -m worker``: the engine, then the SDK's loop."""

import os
import signal
import sys
from types import FrameType

from worker import settings
from worker.engine import VllmEngine
from worker.serve import serve

EXIT_SETTINGS = 2

ENGINE_ENVIRONMENT = {
    # Standard output is for events; vLLM's own lines are prose.
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    # The model is a folder: nothing is fetched, and nobody is told.
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Defaults for vLLM, which reads them when it is imported."""


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM before the SDK has its own handler: no job can have been taken, so there is nothing to drain."""
    raise SystemExit(0)


def main() -> int:
    """Run until SIGTERM; 2 where the settings are wrong."""
    try:
        chosen = settings.read(os.environ)
    except settings.SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTINGS
    for name, value in ENGINE_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, _leave)
    serve(VllmEngine(chosen), chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
