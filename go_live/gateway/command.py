"""``golive gateway``: serve the gateway, and keep the callers' keys."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from go_live.config import Config
    from go_live.gateway.routes import RouteFiles
    from go_live.gateway.serving import GatewaySettings, Running

EXAMPLES = """\
examples:
  golive gateway add-key web                    a key for the caller "web", shown once
  golive gateway serve                          in front of golive.toml's endpoint, key from its variable
  golive gateway serve --job-api http://127.0.0.1:8000/v2 --endpoint local --key-env GOLIVE_LOCAL_KEY
  golive gateway serve --endpoint current candidate --routes route.json --rollout-signers rollout_signers
  golive gateway serve --share 1/2              one of two before the same endpoint: they divide the cap
  golive gateway add-key web && golive gateway revoke-key web --older      rotate, nothing restarts

Cap, time-out and room in the line stand in golive.toml ([client], [gateway]); docs/gateway.md tells the rest.
The first Ctrl-C or SIGTERM lets what is under way end within the client's time, the second one cancels it.

exit codes: 0 ended as asked, 2 usage or configuration
"""
ENDPOINTS = "endpoints (default: endpoint.id of golive.toml); with the job API's base where that is another one"
ACTIONS = ("serve", "add-key", "revoke-key", "list-keys")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("caller", nargs="?", help="whose key it is (add-key, revoke-key)")
    parser.add_argument("--older", action="store_true", help="revoke-key: all of the caller's but the newest")
    parser.add_argument("--callers", type=Path, default=Path("callers.json"), help="the callers' keys, as hashes")
    parser.add_argument("--endpoint", nargs="+", metavar="ID[=URL]", help=ENDPOINTS)
    parser.add_argument("--job-api", metavar="URL", help="where they are (default: endpoint.job_api)")
    parser.add_argument("--key-env", metavar="NAME", help="variable of the upstream key (default: keys.api_key_env)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, help="port to listen on (default: gateway.port; 0: any free one)")
    parser.add_argument("--metrics-port", type=int, help="port of /metrics on loopback (default: gateway.metrics_port)")
    parser.add_argument("--record", type=Path, default=Path("reports/gateway.jsonl"), help="one line a request")
    parser.add_argument("--routes", type=Path, metavar="FILE", help="a rollout's signed decision; read when it changes")
    parser.add_argument("--rollout-signers", type=Path, metavar="FILE", help="whose decisions count (allowed_signers)")
    parser.add_argument(
        "--share", metavar="K/N", default="1/1", help="this is the K-th of N gateways that divide the cap"
    )
    parser.add_argument("--config", type=Path, default=Path("golive.toml"), help="limits (default: golive.toml)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Do what was asked.

    Raises:
        UsageError: arguments, configuration, a port or a file cannot be used.
    """
    from go_live.errors import ExitCode, UsageError  # noqa: PLC0415 - `golive --help` needs none of these

    if args.action in {"add-key", "revoke-key"} and not args.caller:
        raise UsageError(f"golive gateway {args.action}: name the caller, for example: {args.action} web")
    act = {"serve": _serve, "add-key": _add, "revoke-key": _revoke, "list-keys": _list}[args.action]
    print(act(args), end="")  # noqa: T201 - the command's output
    return ExitCode.GO


def _add(args: argparse.Namespace) -> str:
    """Add a key, and tell it this once."""
    import datetime as dt  # noqa: PLC0415
    import json  # noqa: PLC0415

    from go_live.gateway import keys  # noqa: PLC0415

    before = keys.read(args.callers)
    key, entry = keys.new_key(args.caller, f"{dt.datetime.now(dt.UTC):%Y-%m-%d}")
    keys.write(args.callers, (*before, entry))
    if args.json:
        return json.dumps({"caller": args.caller, "key": key, "file": str(args.callers)}) + "\n"
    return f"{key}\nThis is the key of {args.caller}, shown this once; a gateway that is running knows it already.\n"


def _revoke(args: argparse.Namespace) -> str:
    """Revoke a caller's keys; those of others stay.

    Raises:
        UsageError: he has none (or, with ``--older``, only one).
    """
    import json  # noqa: PLC0415

    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.gateway import keys  # noqa: PLC0415

    before = keys.read(args.callers)
    own = [entry for entry in before if entry.caller == args.caller]
    revoked = own[:-1] if args.older else own
    if not revoked:
        raise UsageError(
            f"{args.caller} has {len(own)} keys in {args.callers}: nothing to revoke (list-keys shows all)"
        )
    keys.write(args.callers, tuple(entry for entry in before if entry not in revoked))
    if args.json:
        return json.dumps({"caller": args.caller, "revoked": len(revoked), "left": len(own) - len(revoked)}) + "\n"
    return (
        f"revoked {len(revoked)} of {args.caller}'s {len(own)} keys; a gateway that is running refuses them already\n"
    )


def _list(args: argparse.Namespace) -> str:
    """Callers and days; never a hash."""
    import json  # noqa: PLC0415

    from go_live.gateway import keys  # noqa: PLC0415

    entries = keys.read(args.callers)
    if args.json:
        return json.dumps([{"caller": entry.caller, "created": entry.created} for entry in entries]) + "\n"
    lines = [f"{entry.created}  {entry.caller}\n" for entry in entries]
    return "".join(lines) or f"no caller has a key in {args.callers}: golive gateway add-key NAME\n"


def _serve(args: argparse.Namespace) -> str:
    """Serve until a signal."""
    import asyncio  # noqa: PLC0415
    import logging  # noqa: PLC0415

    from go_live import config  # noqa: PLC0415
    from go_live.tuning.effective import cap_told  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    found = capped(args, config.load(args.config))
    logging.getLogger(__name__).info("cap: %s", cap_told(found))
    settings = gateway_settings(args, found)
    asyncio.run(_until_signal(settings, as_json=args.json))
    return ""


def capped(args: argparse.Namespace, config: "Config") -> "Config":
    """``config`` with the cap that was measured, where it declares one (docs/tuning.md).

    Raises:
        UsageError: the record does not hold.
    """
    import datetime as dt  # noqa: PLC0415
    import logging  # noqa: PLC0415

    from go_live.tuning.adopting import addressed, with_cap  # noqa: PLC0415

    named = [one.partition("=")[::2] for one in args.endpoint or [config.endpoint.id]]
    endpoints = [addressed(config, name, base or args.job_api) for name, base in named]
    found = with_cap(config, args.config.absolute().parent, endpoints=endpoints, now=dt.datetime.now(dt.UTC))
    if config.client.cap_record is not None and found.client.measured is None:
        logging.getLogger(__name__).warning("not every endpoint here was measured: client.concurrency_cap counts")
    return found


def gateway_settings(args: argparse.Namespace, config: "Config") -> "GatewaySettings":
    """What the arguments and golive.toml ask for.

    Raises:
        UsageError: there is no upstream key, or no caller has one.
    """
    import os  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.gateway import keys, replicas, serving, tracing  # noqa: PLC0415

    name = args.key_env or config.keys.api_key_env
    key = os.environ.get(name, "").strip()
    if not key:
        raise UsageError(f"{name} is not set: put the endpoint's API key into it, or name another with --key-env")
    if not keys.read(args.callers):
        raise UsageError(f"no caller has a key in {args.callers}: golive gateway add-key NAME --callers {args.callers}")
    named = dict(one.partition("=")[::2] for one in args.endpoint or [config.endpoint.id])
    settings = serving.settings_from(
        config,
        job_api=args.job_api or config.endpoint.job_api,
        endpoints=tuple(named),
        key=key,
        callers=args.callers,
    )
    return msgspec.structs.replace(
        settings,
        elsewhere={name: base for name, base in named.items() if base},
        host=args.host,
        port=config.gateway.port if args.port is None else args.port,
        metrics_port=config.gateway.metrics_port if args.metrics_port is None else args.metrics_port,
        record=args.record,
        probe_every_s=config.gateway.probe_every_s,
        count_every_s=config.gateway.count_every_s,
        share=replicas.parse_share(args.share, settings.cap),
        routes=_route_files(args),
        traces=tracing.asked(os.environ),
    )


def _route_files(args: argparse.Namespace) -> "RouteFiles | None":
    """Where a rollout's decision is read; None: nowhere.

    Raises:
        UsageError: one of the two files is missing from the arguments.
    """
    from go_live.errors import UsageError  # noqa: PLC0415
    from go_live.gateway.routes import RouteFiles  # noqa: PLC0415

    if args.routes is None and args.rollout_signers is None:
        return None
    if args.routes is None or args.rollout_signers is None:
        raise UsageError("--routes and --rollout-signers belong together: the decision, and whose decisions count")
    return RouteFiles(args.routes, args.rollout_signers)


async def _until_signal(settings: "GatewaySettings", *, as_json: bool) -> None:
    """Serve until SIGINT or SIGTERM; the second one cancels what is under way, upstream too."""
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from go_live.gateway.serving import running  # noqa: PLC0415

    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    async with running(settings) as gateway:

        def stop() -> None:
            if asked.is_set():
                gateway.stop_now()
            asked.set()

        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop)
        print(_announcement(settings, gateway, as_json=as_json), flush=True)  # noqa: T201 - the command's output
        await asked.wait()


def _announcement(settings: "GatewaySettings", gateway: "Running", *, as_json: bool) -> str:
    """Where it listens, and a first request to try."""
    import json  # noqa: PLC0415

    from go_live.gateway.replicas import ALONE  # noqa: PLC0415

    if as_json:
        where = {"url": gateway.url, "job_api": gateway.job_api, "metrics_url": gateway.metrics_url}
        return json.dumps(
            {**where, "endpoints": settings.endpoints, "cap": settings.own_cap, "share": str(settings.share)}
        )
    first = f"{gateway.job_api}/{settings.endpoints[0]}"
    open_to_all = settings.host not in {"127.0.0.1", "localhost", "::1"}
    warning = "  listens beyond this machine without TLS: let a proxy with TLS stand before it\n" if open_to_all else ""
    divided = "" if settings.share == ALONE else f" (share {settings.share} of {settings.cap})"
    room = gateway.gateway.upstreams[settings.endpoints[0]].admission.line.room
    return (
        f"gateway: at most {settings.own_cap} in flight{divided} and {room} waiting for each of "
        f"{', '.join(settings.endpoints)}\n"
        f"  job API    {first}\n"
        f"  metrics    {gateway.metrics_url}\n"
        f"  record     {settings.record}\n"
        f"{warning}\n"
        "  curl -s -H \"Authorization: Bearer $CALLER_KEY\" -H 'Content-Type: application/json' \\\n"
        f'    -d \'{{"input": {{"prompt": "How do I become a data engineer?"}}}}\' {first}/runsync\n\n'
        "Ctrl-C ends it."
    )
