"""Keys that no provider ever issued, made when they are needed: written down, they would be findings themselves."""

import random
import string

UPPER, ALL, HEX = string.ascii_uppercase + string.digits, string.ascii_letters + string.digits, "0123456789abcdef"


def drawn(length: int, alphabet: str = ALL, seed: int = 1) -> str:
    """So many characters, always the same ones for a seed; at least a digit and a letter among them."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    return "a7" + "".join(draw.choice(alphabet) for _ in range(length - 2))


def of_kind(kind: str, seed: int = 1) -> str:
    """A made-up secret of the rule ``kind``."""
    upper = drawn(16, UPPER, seed).upper()
    made = {
        "runpod": f"rpa_{drawn(40, ALL, seed)}",
        "runpod-s3": f"rps_{drawn(40, ALL, seed)}",
        "hugging-face": f"hf_{drawn(34, ALL, seed)}",
        "aws": f"AKIA{upper}",
        "github": f"ghp_{drawn(36, ALL, seed)}",
        "github-fine": f"github_pat_{drawn(22, ALL, seed)}_{drawn(59, ALL, seed)}",
        "slack": f"xoxb-{drawn(12, '0123456789', seed)}-{drawn(24, ALL, seed)}",
        "slack-hook": f"hooks.slack.com/services/T{upper}/B{upper}/{drawn(24, ALL, seed)}",
        "private-key": f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{drawn(64, ALL, seed)}\n{drawn(64, ALL, seed + 1)}\n",
    }
    return made[kind]
