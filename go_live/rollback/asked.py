"""What is asked before a rollback. Pure."""

from pathlib import Path

import msgspec

from go_live.config import Config, ProfileName


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked."""

    version: str
    root: Path
    config: Config
    profile: ProfileName
    image: str = ""
    """Of a tag without a record, named by hand."""
    template_id: str = ""
    signers: Path | None = None
    """Whom to believe; None: as golive.toml says."""
    smoke: bool = True

    @property
    def timed(self) -> bool:
        """Whether the timed engine's answers count: in the harness's own test profile."""
        return self.profile == "test"
