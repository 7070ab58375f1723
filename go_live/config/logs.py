"""Tables of golive.toml about where logs go."""

from typing import Annotated, Literal

import msgspec

from go_live.config.values import Address, Amount, EnvName, Label, Positive, Section, Text


class Loki(Section, frozen=True):
    """Where Loki is, and who asks."""

    url: Address
    tenant: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]{0,150}$")]
    """``X-Scope-OrgID``; empty: Loki has one tenant."""
    user: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]{0,150}$")]
    """Basic authentication's user, whose password is the token; empty: the token is a bearer's."""
    token_env: EnvName
    """Holds the token; where it is not set, nothing is said of who asks."""


class Datadog(Section, frozen=True):
    """Where Datadog takes logs, and where they are looked for."""

    intake: Address
    api: Address
    api_key_env: EnvName
    app_key_env: EnvName
    """Looking for logs needs an application key beside the API key."""


class CloudWatch(Section, frozen=True):
    """Where CloudWatch Logs keeps them; credentials are found as every AWS client finds them."""

    region: Label
    group: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_/.#-]{1,512}$")]
    retention_days: Positive
    """Of a group that is created; one that is there keeps its own."""


class Logs(Section, frozen=True):
    """Where the workers' logs go (docs/logs.md)."""

    destination: Literal["none", "loki", "cloudwatch", "datadog"]
    arrives_within_s: Amount
    """How long after a request its lines may take to be found at the destination."""
    batch_max_age_s: Amount
    """How long a line may wait for others to be sent with."""
    retry_max_s: Amount
    """Longest pause between two tries, while the destination cannot be reached."""
    state: Text
    """Folder that keeps how far was shipped, relative to golive.toml's."""
    labels: dict[Annotated[str, msgspec.Meta(pattern="^[a-z_][a-z0-9_]{0,62}$")], Label]
    """Said with every line; ``service`` is Datadog's service."""
    loki: Loki
    datadog: Datadog
    cloudwatch: CloudWatch


RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180),
    *(365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What PutRetentionPolicy takes."""
RESERVED_LABELS = frozenset({"job", "endpoint", "worker", "request_id"})
"""What golive itself says of a line, and what would make a stream of every request."""
