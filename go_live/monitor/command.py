"""``golive monitor``: what watches the endpoint. Each action lives in a module of its own."""

import argparse
import importlib

EXAMPLES = """\
examples:
  golive monitor rules            alert rules, routing and runbooks from golive.toml
  golive monitor drill            cause each incident: does every alert fire, arrive and resolve?
  golive monitor drill --help     an action's own arguments, examples and exit codes
"""
ACTIONS = {
    "rules": (
        "go_live.monitor.rules_command",
        "alert rules, their unit tests, Alertmanager's configuration and ALERTING_RULES.md, from golive.toml",
    ),
    "drill": (
        "go_live.monitor.drill_command",
        "cause each incident for real: every alert fires in time, arrives and resolves",
    ),
    "receipt": ("go_live.monitor.receipt_command", "say that a test alert of a deployed Alertmanager arrived"),
    "dashboard": ("go_live.monitor.dashboard_command", "the Grafana dashboard, from golive.toml"),
    "serve": ("go_live.monitor.serve_command", "the same as one local page, live, without Prometheus or Grafana"),
    "ship-logs": ("go_live.monitor.ship_logs_command", "the workers' logs to Loki, CloudWatch or Datadog"),
}
"""By name: the module, whose ``configure`` and ``run`` are an action's own, and its line in the help."""
EPILOG = "example: golive monitor rules --check; each has its own --help"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare every action's arguments."""
    parser.epilog = EPILOG
    actions = parser.add_subparsers(metavar="what", required=True)
    for name, (module, text) in ACTIONS.items():
        action = importlib.import_module(module)
        own = actions.add_parser(name, help=text, description=text)
        action.configure(own)
        own.set_defaults(act=action.run)


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    code: int = args.act(args)
    return code
