"""``golive local serve``: the local endpoint for any client, until Ctrl-C."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from go_live.local_endpoint.scenarios import Known
    from go_live.local_endpoint.server import Endpoint
    from go_live.local_endpoint.settings import EndpointSettings

KEY_ENV = "GOLIVE_LOCAL_KEY"
EXAMPLE = """\
example:
  golive local serve --engine timed --exec-ms 2788 --port 8000
  GOLIVE_LOCAL_KEY=my-own-key golive local serve --workers-min 1 --workers-max 2
  golive local serve --scenario slow-tail          # a known truth, by the timed engine; GET /local/scenario tells it

scenarios (what is true of them is exact; --exec-ms, --hour-s and --seed scale them):
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLE + _listed()
    parser.add_argument("action", choices=("serve",), help="serve until Ctrl-C")
    parser.add_argument("--engine", choices=("cpu", "cuda", "timed"), help="what answers (default: cpu)")
    parser.add_argument("--exec-ms", type=float, default=2788.0, help="the timed engine's execution time, ms")
    parser.add_argument("--scenario", metavar="NAME", help="a known truth, one of those below; implies --engine timed")
    parser.add_argument("--hour-s", type=float, default=3600.0, help="how long the scenario's hour lasts, seconds")
    parser.add_argument("--seed", type=int, default=1, help="of the scenario's draws (default: 1)")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--endpoint-id", default="local", help="id in the job API's paths (default: local)")
    parser.add_argument("--workers-min", type=int, default=1, help="workers always on (default: 1)")
    parser.add_argument("--workers-max", type=int, default=None, help="most workers (default: workers-min, at least 1)")
    parser.add_argument("--max-concurrency", type=int, help="jobs one worker takes at a time (default: the worker's)")
    parser.add_argument("--scaler", choices=("REQUEST_COUNT", "QUEUE_DELAY"), default="REQUEST_COUNT")
    parser.add_argument("--scaler-value", type=float, default=1.0, help="requests per worker, or seconds of queueing")
    parser.add_argument("--idle-timeout-s", type=float, default=5.0, help="an idle worker above the minimum ends then")
    parser.add_argument("--execution-timeout-s", type=float, default=600.0, help="a job fails then")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="one more worker setting")
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="where the worker's settings stand")
    parser.add_argument("--live", type=Path, metavar="FILE", help="what the management API tells of it (JSON)")
    parser.add_argument("--spare", metavar="ID", help="serve a second endpoint, off: what a rollback is rehearsed on")
    parser.add_argument("--directory", type=Path, help="workers' folders and logs (default: a new temporary one)")
    parser.add_argument("--no-rate-limits", action="store_true", help="never answer 429 by the documented limits")
    parser.add_argument("--exit-with-parent", action="store_true", help="also end when stdin reaches its end")
    parser.add_argument("--json", action="store_true", help="print where it listens as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM (exit 0); a taken port is exit 2."""
    import asyncio  # noqa: PLC0415 - `golive --help` needs none of these
    import logging  # noqa: PLC0415

    from go_live.errors import ExitCode  # noqa: PLC0415
    from go_live.local_endpoint.serving import serve  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    settings, key_file = endpoint_settings(args)

    def announce(endpoint: "Endpoint") -> None:
        print(_announcement(endpoint, key_file, as_json=args.json), flush=True)  # noqa: T201 - the command's output

    asyncio.run(serve(settings, announce, exit_with_parent=args.exit_with_parent))
    return ExitCode.GO


def endpoint_settings(args: argparse.Namespace) -> "tuple[EndpointSettings, Path | None]":
    """The endpoint that the arguments describe, and the file its key was written to if it was generated.

    Raises:
        UsageError: an argument is out of range.
    """
    import os  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.local_endpoint.settings import EndpointSettings  # noqa: PLC0415

    engine = args.engine or ("timed" if args.scenario else "cpu")
    scenario = _scenario(args, engine)
    given = {
        "endpoint_id": args.endpoint_id,
        "port": args.port,
        "workers_min": args.workers_min,
        "workers_max": max(1, args.workers_min) if args.workers_max is None else args.workers_max,
        "scaler_type": args.scaler,
        "scaler_value": args.scaler_value,
        "idle_timeout_s": args.idle_timeout_s,
        "execution_timeout_s": args.execution_timeout_s,
        "rate_limits": not args.no_rate_limits,
        "worker_command": worker_command(engine),
        "worker_env": worker_env(args, engine),
        "engine": engine,
    }
    if scenario is not None:
        given["scenario"] = msgspec.to_builtins(scenario)
        given["worker_env"] = scenario.worker_env | worker_env(args, engine)
    if scenario is not None and scenario.idle_timeout_s is not None:
        given |= {"idle_timeout_s": scenario.idle_timeout_s, "workers_min": 0}
    given |= {"described": _described(args.live)} if args.live else {}
    given |= {"spare_id": args.spare} if args.spare else {}
    given |= {"directory": str(args.directory.absolute())} if args.directory else {}
    key = os.environ.get(KEY_ENV)
    given |= {"key": key} if key else {}
    try:
        settings = msgspec.convert(given, EndpointSettings, dec_hook=lambda _, value: Path(value))
    except msgspec.ValidationError as error:
        raise UsageError(f"golive local serve: {error}") from error
    return settings, None if key else _write_key(settings)


def worker_command(engine: str) -> tuple[str, ...]:
    """What a worker of this engine is started with."""
    import sys  # noqa: PLC0415

    return (sys.executable, "-m", "rehearsal.timed_worker" if engine == "timed" else "worker")


def _scenario(args: argparse.Namespace, engine: str) -> "Known | None":
    """The scenario that the arguments name.

    Raises:
        UsageError: there is no such scenario, or an engine that cannot make it was asked for.
    """
    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.local_endpoint.scenarios import Scale, known  # noqa: PLC0415

    if args.scenario is None:
        return None
    if engine != "timed":
        raise UsageError(f"--scenario needs the timed engine, not {engine}: leave --engine out")
    return known(args.scenario, Scale(args.exec_ms, args.hour_s, args.seed))


def _described(path: Path) -> object:
    """What the file tells of the endpoint.

    Raises:
        UsageError: it cannot be read, or is no JSON.
    """
    import json  # noqa: PLC0415

    from go_live.errors import UsageError  # noqa: PLC0415

    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"--live {path}: {error}") from error


def _listed() -> str:
    """The scenarios, one a line."""
    from go_live.local_endpoint.scenarios import SAYS  # noqa: PLC0415 - only this command's help needs it

    return "".join(f"  {name:<18} {says}\n" for name, says in SAYS.items())


def worker_env(args: argparse.Namespace, engine: str) -> dict[str, str]:
    """The worker's settings: the rehearsal profile's (``cuda``: only the model's), then the arguments'.

    Raises:
        UsageError: ``--env`` without ``=``, or a golive.toml that is not valid.
    """
    from go_live import config  # noqa: PLC0415
    from go_live.errors import UsageError  # noqa: PLC0415

    env: dict[str, str] = {}
    if engine != "timed" and args.config.exists():
        declared = config.load(args.config).profile["rehearsal"].worker_env
        names = set(declared) if engine == "cpu" else {"MODEL_PATH", "ENABLE_STREAMING"}
        env |= {name: value for name, value in declared.items() if name in names}
        model = args.config.absolute().parent / env.get("MODEL_PATH", "")
        env |= {"MODEL_PATH": str(model)} if "MODEL_PATH" in env and model.exists() else {}
    if engine == "timed":
        env["TIMED_EXEC_MS"] = f"{args.exec_ms:g}"
    if args.max_concurrency is not None:
        env["MAX_CONCURRENCY"] = str(args.max_concurrency)
    for pair in args.env:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--env {name}: write NAME=VALUE")
        env[name] = value
    return env


def _write_key(settings: "EndpointSettings") -> Path:
    """Keep a generated key in a file that only its owner can read: it must not end in a log."""
    import os  # noqa: PLC0415

    settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.directory / "key"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(settings.key)
    return path


def _announcement(endpoint: "Endpoint", key_file: Path | None, *, as_json: bool) -> str:
    """Where it listens, how to get its key, and a first request to try."""
    import json  # noqa: PLC0415
    import sys  # noqa: PLC0415

    settings = endpoint.settings
    base = f"{endpoint.job_api}/{settings.endpoint_id}"
    if as_json:
        where = {"url": endpoint.url, "job_api": endpoint.job_api, "endpoint_id": settings.endpoint_id}
        return json.dumps(
            {
                **where,
                "key_file": str(key_file) if key_file else None,
                "engine": settings.engine,
                "management_api": endpoint.management_api,
            }
        )
    shown = f"  key        {settings.key}\n" if key_file and sys.stdout.isatty() else ""
    key = f"$(cat {key_file})" if key_file else f"${KEY_ENV}"
    return (
        f"local endpoint, engine {settings.engine}\n"
        f"  job API    {base}\n"
        f"  management {endpoint.management_api}/serverless/{settings.endpoint_id} (a double)\n"
        f"{shown}"
        f"  key from   {key_file or KEY_ENV}\n"
        f"  logs       {settings.directory}\n\n"
        f"  curl -s -H \"Authorization: Bearer {key}\" -H 'Content-Type: application/json' \\\n"
        f'    -d \'{{"input": {{"prompt": "How do I become a data engineer?"}}}}\' {base}/runsync\n\n'
        "Ctrl-C ends it and its workers."
    )
