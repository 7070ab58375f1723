"""Environment -> ``Settings``: every wrong value is named at once, before anything heavy is imported.

Pure but for one look into the folder MODEL_PATH.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Parser = Callable[[str], Any]
"""Text of one variable -> its value; raises ``ValueError`` with what was expected."""

LARGEST = 2**31 - 1
"""vLLM keeps counts in 32-bit tensors."""


class SettingsError(Exception):
    """At least one variable is wrong; the message lists all of them."""


def positive(text: str) -> int:
    """A positive decimal integer; signs, underscores, blanks and other scripts' digits are not accepted."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) and 0 < int(text) <= LARGEST:
        return int(text)
    raise ValueError(f"a positive integer up to {LARGEST} is needed")


def number(low: float, high: float, *, above_low: bool = False) -> Parser:
    """A parser of decimal numbers from ``low`` to ``high``; ``above_low`` leaves ``low`` itself out."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if low <= value <= high and not (above_low and value == low):
            return value
        raise ValueError(
            f"a number {'above' if above_low else 'from'} {low:g} {'up ' if above_low else ''}to {high:g} is needed"
        )

    return parse


def boolean(text: str) -> bool:
    """``true``, ``1``, ``yes`` or ``on``, or their opposites, in any case."""
    values = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)
    if text.lower() in values:
        return values[text.lower()]
    raise ValueError("true or false is needed")


def one_of(*words: str) -> Parser:
    """A parser of one of ``words``."""

    def parse(text: str) -> str:
        if text in words:
            return text
        raise ValueError(f"one of {', '.join(words)} is needed")

    return parse


def identity(text: str) -> str:
    """A name of a build: one printable word."""
    if 0 < len(text) <= 200 and text.isprintable() and not any(map(str.isspace, text)):  # noqa: PLR2004 - a sane name
        return text
    raise ValueError("one printable word of up to 200 characters is needed")


def model_folder(text: str) -> str:
    """A folder with a model in it."""
    if text and (Path(text) / "config.json").is_file():
        return text
    raise ValueError("a folder with the model's config.json in it is needed")


PARSERS: dict[str, Parser] = {
    "MODEL_PATH": model_folder,
    "MAX_MODEL_LEN": positive,
    "MAX_NUM_SEQS": positive,
    "MAX_NUM_BATCHED_TOKENS": positive,
    "GPU_MEMORY_UTILIZATION": number(0, 1, above_low=True),
    "MAX_CONCURRENCY": positive,
    "DTYPE": one_of("auto", "half", "float16", "bfloat16", "float", "float32"),
    "LOAD_FORMAT": one_of("auto", "safetensors", "pt", "npcache", "dummy", "mistral", "fastsafetensors"),
    "ENABLE_STREAMING": boolean,
    "STREAM_WINDOW_MS": number(0, 10_000),
    "ENFORCE_EAGER": boolean,
    "TRUST_REMOTE_CODE": boolean,
    "GIT_COMMIT": identity,
    "IMAGE_DIGEST": identity,
}
"""Variables that are read. Each is the upper-case name of a field of ``Settings``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this worker runs."""

    model_path: str = ""
    """Folder of the model; empty only where the engine needs none."""
    max_model_len: int = 4096
    """Tokens of prompt and answer together."""
    max_num_seqs: int = 8
    """Sequences in one batch."""
    max_num_batched_tokens: int | None = None
    """As asked for; ``worker.engine.batched_tokens`` says what takes effect."""
    gpu_memory_utilization: float = 0.90
    max_concurrency: int = 0
    """Jobs taken at a time; 0: ``default_concurrency`` of ``max_num_seqs``."""
    dtype: str = "auto"
    load_format: str = "auto"
    enable_streaming: bool = False
    """Serve ``/stream``: the job's output becomes the list of what was yielded."""
    stream_window_ms: float = 80.0
    """Deltas are joined for this long before they are sent: each costs one POST."""
    enforce_eager: bool = False
    trust_remote_code: bool = False
    git_commit: str = "unknown"
    image_digest: str = "unknown"
    warnings: tuple[str, ...] = field(default=())
    """Names in the environment that look like misspelt settings."""

    def __post_init__(self) -> None:
        """Fill in the default that depends on another field."""
        if self.max_concurrency == 0:
            object.__setattr__(self, "max_concurrency", default_concurrency(self.max_num_seqs))


def default_concurrency(max_num_seqs: int) -> int:
    """Jobs to take at a time for a batch of ``max_num_seqs`` (docs/decisions/0010).

    The SDK stops taking jobs for a second whenever it is full, so what waits inside must feed the batch meanwhile.
    """
    return max_num_seqs + max(24, max_num_seqs)


def collect(environ: Mapping[str, str], parsers: Mapping[str, Parser]) -> tuple[dict[str, Any], list[str]]:
    """Parse every variable that is set: values by field name, and one line for each that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name, parse in parsers.items():
        if name not in environ:
            continue
        try:
            values[name.lower()] = parse(environ[name])
        except ValueError as error:
            wrong.append(f"{name}={environ[name][:60]!r}: {error}")
    return values, wrong


def raise_if_any(wrong: list[str]) -> None:
    """Raise ``SettingsError`` naming everything in ``wrong``, if there is anything."""
    if wrong:
        raise SettingsError("the worker does not start; wrong settings in the environment:\n  " + "\n  ".join(wrong))


def misspelt(environ: Mapping[str, str]) -> tuple[str, ...]:
    """One warning for each variable whose name is nearly that of a setting and is not read by anything here."""
    close = ((name, difflib.get_close_matches(name, PARSERS, n=1, cutoff=0.85)) for name in environ)
    return tuple(
        f"{name} is not a setting of this worker and is ignored; {near[0]} is"
        for name, near in close
        if near and name not in PARSERS
    )


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in ``environ``.

    Raises:
        SettingsError: a value is wrong or MODEL_PATH is missing; all of them are listed.
    """
    values, wrong = collect(environ, PARSERS)
    if "MODEL_PATH" not in environ:
        wrong.insert(0, "MODEL_PATH is not set: the folder of the model is needed")
    raise_if_any(wrong)
    return Settings(**values, warnings=misspelt(environ))
