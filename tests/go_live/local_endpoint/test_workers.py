"""What a worker is started with."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from go_live.errors import UsageError
from go_live.local_endpoint import workers
from go_live.local_endpoint.settings import EndpointSettings, decode, encode

SECRET = "a-secret-of-the-caller"  # noqa: S105 - made up


def environment(**options: str) -> dict[str, str]:
    """A worker's environment, with ``options`` as the caller's own."""
    settings = EndpointSettings(directory=Path("/d"), worker_env={"MAX_CONCURRENCY": "30", "HOME": "/no"})
    return workers.environment(settings, "w7", "http://127.0.0.1:1", Path("/d/w7"), options)


def test_the_platforms_variables_are_set() -> None:
    """Four URLs with the worker's id and a query, the interval in ms, a quiet log, no hardware checks."""
    env = environment()
    for name in ("GET_JOB", "POST_OUTPUT", "POST_STREAM", "PING"):
        assert env[f"RUNPOD_WEBHOOK_{name}"].startswith("http://127.0.0.1:1/v2/local/")
        assert "/w7" in env[f"RUNPOD_WEBHOOK_{name}"]
        assert "?" in env[f"RUNPOD_WEBHOOK_{name}"]  # the SDK appends its parameters with &
    assert "/job-take/" in env["RUNPOD_WEBHOOK_GET_JOB"]
    assert env["RUNPOD_WEBHOOK_POST_OUTPUT"].split("?")[0].endswith("/job-done/w7/$ID")
    assert (env["RUNPOD_PING_INTERVAL"], env["RUNPOD_POD_ID"], env["RUNPOD_LOG_LEVEL"]) == ("10000", "w7", "INFO")
    assert env["RUNPOD_SKIP_AUTO_SYSTEM_CHECKS"] == env["RUNPOD_SKIP_GPU_CHECK"] == "true"
    assert (env["HOME"], env["MAX_CONCURRENCY"]) == ("/d/w7/home", "30")


def test_the_callers_keys_and_proxies_stay_out() -> None:
    """What the SDK or a curious worker could misuse is not passed on; the rest of the environment is."""
    env = environment(
        RUNPOD_API_KEY=SECRET, RUNPOD_REALTIME_PORT="1", GOLIVE_LOCAL_KEY=SECRET, CUDA_VISIBLE_DEVICES="1", HOME="/me"
    )
    assert SECRET not in env.values()
    assert "RUNPOD_REALTIME_PORT" not in env
    assert (env["CUDA_VISIBLE_DEVICES"], env["XDG_CACHE_HOME"]) == ("1", "/me/.cache")
    assert env["NO_PROXY"] == env["no_proxy"] == "127.0.0.1,localhost"


def test_the_project_is_found_from_the_workers_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Relative entries are made absolute; the project's root is added unless it is installed."""
    monkeypatch.chdir(tmp_path)
    path = workers.python_path("lib" + os.pathsep + os.pathsep + "/x").split(os.pathsep)
    assert path == [str(workers.ROOT), str(tmp_path / "lib"), "/x"]
    monkeypatch.setattr(workers, "ROOT", Path("/venv/lib/python3.11/site-packages"))
    assert workers.python_path("") == ""


def test_no_key_is_shown() -> None:
    """Not in the repr of the settings, where a worker's environment is hidden as well."""
    settings = EndpointSettings(key="k" * 20, worker_env={"HF_TOKEN": SECRET})
    assert "kkk" not in repr(settings)
    assert settings.worker_key not in repr(settings)
    assert SECRET not in repr(settings)


def test_settings_survive_the_pipe() -> None:
    """Encoded as one line and decoded, they are equal."""
    settings = EndpointSettings(worker_env={"A": "ü\n"}, directory=Path("/d"))
    assert b"\n" not in encode(settings)
    assert decode(encode(settings)) == settings


def test_wrong_settings_name_the_field() -> None:
    """One clear error for a value out of range, an unknown field, and bounds that cross."""
    for change in ({"port": 70000}, {"workers_min": -1}, {"scaler_type": "SOMETIMES"}, {"host": "0.0.0.0"}):  # noqa: S104 - refused
        with pytest.raises(UsageError, match=next(iter(change))):
            decode(msgspec.json.encode(change))
    with pytest.raises(UsageError, match="unknown field"):
        decode(b'{"workers": 1}')
    with pytest.raises(UsageError, match="workers_min"):
        EndpointSettings(workers_min=3, workers_max=2)


def test_the_default_worker_is_the_projects() -> None:
    """Started with this interpreter."""
    assert EndpointSettings().worker_command == (sys.executable, "-m", "worker")
