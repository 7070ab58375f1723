"""golive.toml and the environment -> a destination, with its keys. No key is ever an argument."""

from collections.abc import Mapping
from contextlib import suppress

from go_live.api_key import read_secret
from go_live.config import Config
from go_live.errors import UsageError
from go_live.shipping.destination import Destination

NONE = "none"


def chosen(config: Config, asked: str | None = None) -> str:
    """The destination that was asked for, or else is declared.

    Raises:
        UsageError: neither.
    """
    name = asked or config.logs.destination
    if name == NONE:
        raise UsageError('no destination: say --to loki, or declare it in golive.toml: [logs] destination = "loki"')
    return name


def destination_of(config: Config, name: str, environment: Mapping[str, str]) -> Destination:
    """Where lines go.

    Raises:
        UsageError: a key or boto3 is missing.
        DestinationError: a key would go over the network unencrypted.
    """
    logs, endpoint = config.logs, config.endpoint.id
    if name == "loki":
        from go_live.shipping.loki import LokiDestination  # noqa: PLC0415 - one of three

        return LokiDestination(logs, endpoint, _if_set(logs.loki.token_env, environment))
    if name == "datadog":
        from go_live.shipping.datadog import DatadogDestination  # noqa: PLC0415 - one of three

        key = read_secret(logs.datadog.api_key_env, environment)
        return DatadogDestination(logs, endpoint, key, _if_set(logs.datadog.app_key_env, environment))
    from go_live.shipping.cloudwatch import CloudWatchDestination  # noqa: PLC0415 - one of three

    return CloudWatchDestination(logs.cloudwatch)


def secrets_in(config: Config, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every key that this process knows: none of them may stand in a line that leaves."""
    names = (
        *(config.keys.api_key_env, config.keys.old_api_key_env),
        *(config.logs.loki.token_env, config.logs.datadog.api_key_env, config.logs.datadog.app_key_env),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    )
    known = []
    for name in names:
        with suppress(UsageError):  # one that this command does not need may be damaged
            known.append(_if_set(name, environment))
    return tuple(secret for secret in known if secret)


def _if_set(variable: str, environment: Mapping[str, str]) -> str | None:
    """The secret of ``variable`` or of its file; None: neither is set."""
    if not environment.get(variable) and not environment.get(f"{variable}_FILE"):
        return None
    return read_secret(variable, environment)
