"""The guide from zero to a monitored endpoint is run as it stands, in one shell."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from go_live.monitor.stack import programs

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/monitored-from-zero.md").read_text(encoding="utf-8")
PORTS = ("8000", "8080", "9180", "9090", "9093")
ENDS = "trap 'kill $(jobs -p); wait' EXIT\nset -eo pipefail\n"


def commands() -> str:
    """Every block of the guide that is marked as shell."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL))


def elsewhere(text: str, ports: Mapping[str, str]) -> str:
    """``text`` with free ports in the place of the guide's."""
    for port, free in ports.items():
        text = re.sub(rf"\b{port}\b", free, text)
    return text


def test_every_step_is_there() -> None:
    """What needs an account, nox or minutes is shown and not run; the rest is run."""
    run = commands()
    for step in ("golive local serve", "golive gateway serve", "golive monitor rules", "prometheus", "amtool"):
        assert step in run
    for step in ("nox -s drill", "golive monitor receipt"):
        assert step in GUIDE
        assert step not in run


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_guide_leads_to_a_monitored_endpoint(tmp_path: Path) -> None:
    """A caller is answered, the gateway counts it, Prometheus reads it, the Watchdog beats; nothing is left running."""
    if (lack := programs.missing()) or shutil.which("amtool") is None:
        pytest.skip(lack or "amtool not found on PATH: apt-get install prometheus-alertmanager")
    ports = {port: programs.free_address().rpartition(":")[2] for port in PORTS}
    toml = (ROOT / "golive.toml").read_text(encoding="utf-8")
    (tmp_path / "golive.toml").write_text(elsewhere(toml, {"9180": ports["9180"]}), encoding="utf-8")
    # Alertmanager's own port stands in what is generated.
    patched = f"sed -i 's/9093/{ports['9093']}/' monitoring/prometheus.yml\n"
    script = elsewhere(commands(), ports).replace(
        "golive monitor rules --prove", f"{patched}golive monitor rules --prove"
    )
    own = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", ENDS + script],  # noqa: S607 - the machine's shell
        cwd=tmp_path,
        env=os.environ | own | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=160,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert 'outcome="ok"} 1.0' in done.stdout
    assert "Watchdog" in done.stdout
    assert "COMPLETED" in (tmp_path / "answer.json").read_text(encoding="utf-8")
