"""Defects of a release and of the way back from it."""

from selftest.acts import TARGET
from selftest.control import Act, Change, Control

NAMES_A_TARGET = Change(
    file="golive.toml",
    old="first_release = true  ",
    new=f'first_release = false\nprevious = "{TARGET}"  ',
)
"""The release is not the first: what it would be rolled back to has to be verified."""


def way_back(name: str, reason: str, *changes: Change, act: Act | None = None) -> Control:
    """A control of the rollback target."""
    return Control(id=name, item="REL-2", reason=reason, scene="answers", changes=changes, act=act)


WAY_BACK = (
    way_back(
        "declared-the-first-though-another-was-recorded",
        f"has the record of {TARGET}: name the target",
        act="another version recorded",
    ),
    way_back("rollback-target-has-no-tag", f"origin has no tag {TARGET}", NAMES_A_TARGET),
    way_back(
        "rollback-target-is-a-lightweight-tag",
        "is not an annotated tag",
        NAMES_A_TARGET,
        act="lightweight tag of the target",
    ),
    way_back(
        "rollback-target-was-made-without-golive",
        "the record has no SHA256SUMS",
        NAMES_A_TARGET,
        act="target by a stranger",
    ),
)

SIGNATURE = (
    Control(
        id="nobody-can-sign-the-release",
        item="REL-1",
        reason="has to be signed, and GOLIVE_SIGNING_KEY names no key",
        scene="answers",
        changes=(
            Change(file="golive.toml", old='required = ["production"] ', new='required = ["production", "test"] '),
            Change(
                file="golive.toml",
                old='signers = { production = "release_signers" }',
                new='signers = { production = "release_signers", test = "release_signers" }',
            ),
        ),
    ),
)
