"""The kinds of values that golive.toml holds, and what every table of it is. Units stand in the keys."""

from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Amount = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
"""0: any free one."""
EnvName = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9_]*$")]
ProfileName = Literal["rehearsal", "production", "test"]
WHOLE_PERCENT = 100
Day = Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
"""A date, as TOML and ISO 8601 write it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of golive.toml. Frozen; unknown keys are refused."""


Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]
Address = Annotated[str, msgspec.Meta(pattern="^https?://[^/@ ]+(/[^@ ]*[^/@ ])?$")]
"""Of a server, without a slash at its end and without a name or password in it."""
Label = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
