"""The API key: from an environment variable, or from a file that one names. Never from an argument."""

from collections.abc import Mapping
from pathlib import Path

from go_live.config import Keys
from go_live.errors import UsageError

MAX_BYTES = 4096
"""Far more than any key: a file that is larger is another one."""


def read_key(keys: Keys, environment: Mapping[str, str]) -> str:
    """The platform's API key: of the variable ``keys.api_key_env``, or of the file that ``<that name>_FILE`` names.

    Raises:
        UsageError: neither is set, both are, or what is there is no key; the message names the variable, never the key.
    """
    return read_secret(keys.api_key_env, environment)


def read_secret(variable: str, environment: Mapping[str, str]) -> str:
    """The secret of ``variable``, or of the file that ``<variable>_FILE`` names.

    Raises:
        UsageError: as ``read_key``.
    """
    file_variable = f"{variable}_FILE"
    value, file = environment.get(variable, ""), environment.get(file_variable, "")
    if value and file:
        raise UsageError(f"{variable} and {file_variable} are both set: leave one, so that it is clear which counts")
    if file:
        return _checked(_content(file, file_variable), f"the file that {file_variable} names")
    if not value.strip():
        raise UsageError(f"{variable} is not set: put the API key into it, or its file's path into {file_variable}")
    return _checked(value, variable)


def _content(file: str, variable: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{variable}: cannot read {file}: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"{variable}: {file} is larger than any key: name the file that holds the key alone")
    return content.decode("utf-8", "replace")


def _checked(text: str, where: str) -> str:
    key = text.strip()
    if not key:
        raise UsageError(f"{where} holds no key: it is empty")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(f"{where} holds no single key: it has blanks, line breaks or characters outside ASCII")
    return key
