"""``.env`` files: made to hold secrets, so that one with values is a finding whatever its values look like. Pure."""

import re

from go_live.keys.rules import ENV_FILE, is_key_like
from go_live.keys.stream import Hit

LARGEST_BYTES = 2**20
"""Only the beginning of a file that is longer is looked at as a ``.env``; the rules look at all of it."""
_NAME = re.compile(rb"(?:^|/)(?:\.env(?:\.[^/]*)?|[^/]*\.env|\.envrc)$")
_SAMPLE = re.compile(rb"(?:example|sample|template|dist|schema|defaults)[^/]*$")
_LINE = re.compile(rb"^[ \t]{0,20}(?:export[ \t]{1,20})?([A-Za-z_][A-Za-z0-9_]{0,100})[ \t]{0,20}=[ \t]{0,20}(.+)$")
_EMPTY = re.compile(rb"""^(?:["']{2})?[ \t\r]*(?:#.*)?$|^["']?\$[({A-Za-z]|^["']?<[^>]*>""")


def is_env_file(path: bytes) -> bool:
    """Whether the file at ``path`` is a ``.env`` by its name, and not an example of one."""
    return bool(_NAME.search(path)) and not _SAMPLE.search(path)


def env_hit(content: bytes) -> Hit | None:
    """The line that makes it a finding: the first with a secret's name, else the first with a value; None: no value."""
    best: Hit | None = None
    for number, line in enumerate(content[:LARGEST_BYTES].splitlines(), start=1):
        match = _LINE.match(line)
        if match is None or _EMPTY.match(match[2]):
            continue
        hit = Hit(ENV_FILE, number, match[2].strip().strip(b"\"'"))
        if is_key_like(match[1].decode()):
            return hit
        best = best or hit
    return best
