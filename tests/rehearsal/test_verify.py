"""The real engine: the same words alone and in a batch."""

import subprocess
import sys

import pytest

from rehearsal.golden import golden_prompts


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(400)
def test_answers_are_the_stored_ones_alone_and_in_a_batch_of_eight() -> None:
    """The engine in fp32 gives every golden answer word for word, asked alone and in each place of a batch of eight."""
    pytest.importorskip("torch", reason="the engine needs the cpu extra")
    command = [sys.executable, "-m", "rehearsal.verify"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert f"{len(golden_prompts())} golden prompts, 0 differences" in done.stdout.splitlines()
