"""Which addresses a profile may speak to. Pure.

A production run's evidence is about the platform's own hosts, so it accepts no other; a double is for the test profile,
whose trust root the shipped verifier refuses.
"""

from go_live.config import Config, ProfileName
from go_live.errors import UsageError

JOB_API = "https://api.runpod.ai/v2"
"""RunPod documentation: the job API (``.ai``)."""
MANAGEMENT_API = "https://api.runpod.io/v2"
"""RunPod documentation: REST v2 (``.io``); GraphQL lives beside it, at ``https://api.runpod.io/graphql``."""


def refuse_other_hosts(config: Config, profile: ProfileName, *, name: str = "golive.toml") -> None:
    """Refuse a profile that would meet a live endpoint anywhere but at the platform's own addresses.

    Raises:
        UsageError: the addresses of ``profile`` are not acceptable; the message names key and remedy.
    """
    chosen = config.profile.get(profile)
    if profile == "production" and chosen is not None and chosen.target != "runpod":
        raise UsageError(f"{name}: profile.production.target must be 'runpod': a local endpoint is a rehearsal")
    if profile == "test" or (chosen is not None and chosen.target != "runpod"):
        return
    endpoint = config.endpoint
    for key, given, wanted in (
        ("job_api", endpoint.job_api, JOB_API),
        ("management_api", endpoint.management_api, MANAGEMENT_API),
    ):
        if given.rstrip("/") != wanted:
            shown = given.rpartition("@")[2]
            raise UsageError(
                f"{name}: endpoint.{key} is {shown!r}, and the profile {profile} accepts {wanted} alone: "
                "other addresses belong to the profile test"
            )
