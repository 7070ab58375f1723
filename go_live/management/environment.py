"""INF-8: the image and the environment of the live endpoint. Pure.

Values of the worker's own settings are shown; every other value may be a secret, and is not.
"""

import re
from collections.abc import Iterator, Mapping

from go_live.config import ExpectedEndpoint
from go_live.management.table import Row
from go_live.outcome import Outcome
from worker.settings import PARSERS, Settings, misspelt

ITEM = "INF-8"
DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})$")
OTHERS = re.compile(
    r"^(RUNPOD_|HF_|HUGGING|VLLM_|CUDA_|NVIDIA_|NCCL_|TORCH|PYTORCH_|PYTHON|OMP_|MKL_|TRANSFORMERS_|TOKENIZERS_|XDG_"
    r"|LC_|LD_)|^(PATH|HOME|TZ|LANG|PORT|PORT_HEALTH)$"
)
"""Names that the platform, the model stack or the system reads."""
PAIR = ("MAX_MODEL_LEN", "MAX_NUM_BATCHED_TOKENS", "MAX_NUM_SEQS")
DEFAULTS = {"MAX_MODEL_LEN": Settings().max_model_len, "MAX_NUM_SEQS": Settings().max_num_seqs}
"""What the worker takes where neither endpoint nor image say more."""


def digest_of(image: str) -> str | None:
    """``sha256:…`` of an image that is named by digest; None: it is named by a tag, which can move."""
    found = DIGEST.search(image)
    return found[1] if found else None


def image_row(declared: str | None, live: str) -> Row:
    """The image is the declared one, and pinned."""
    digest = digest_of(live)
    if digest is None:
        said = f"{live or 'no image'} is not pinned by digest (image@sha256:…): what it names can change"
        return _row("image", declared or "pinned by digest", live or "none", Outcome.FAIL, said)
    if declared is None:
        return _row(
            "image", "pinned by digest", _short(live), Outcome.PASS, f"pinned to {digest[:19]}; none is declared"
        )
    wanted = digest_of(declared)
    if wanted is None:
        said = "the declared image is not named by digest: declare image@sha256:…"
        return _row("image", declared, _short(live), Outcome.ERROR, said)
    if wanted != digest:
        said = f"the endpoint runs {digest[:19]}, declared is {wanted[:19]}"
        return _row("image", _short(declared), _short(live), Outcome.FAIL, said)
    return _row("image", _short(declared), _short(live), Outcome.PASS, f"the endpoint runs {digest[:19]}, as declared")


def environment_rows(expected: ExpectedEndpoint, env: Mapping[str, str]) -> Iterator[Row]:
    """Each declared variable, the pair of lengths, values that the worker refuses, and names that nothing reads."""
    for name, value in sorted(expected.env.items()):
        yield _declared_row(name, value, env.get(name))
    yield pair_row(env)
    yield values_row(env)
    yield names_row(env, (*expected.env, *expected.other_env))


def pair_row(env: Mapping[str, str]) -> Row:
    """MAX_NUM_BATCHED_TOKENS, where it is set, is at least MAX_MODEL_LEN and MAX_NUM_SEQS."""
    setting, declared = "MAX_MODEL_LEN / MAX_NUM_BATCHED_TOKENS", "a safe pair"
    shown = " / ".join(env.get(name, "not set") for name in PAIR[:2])
    wrong = [f"{name}={env[name][:40]!r}" for name in PAIR if name in env and not _positive(env[name])]
    if wrong:
        said = f"{', '.join(wrong)}: a positive integer is needed, and the worker does not start"
        return _row(setting, declared, shown, Outcome.FAIL, said)
    values = {**DEFAULTS, **{name: int(env[name]) for name in PAIR if name in env}}
    batched = values.get("MAX_NUM_BATCHED_TOKENS")
    if batched is None:
        said = "MAX_NUM_BATCHED_TOKENS is not set: the worker takes what is safe"
        return _row(setting, declared, shown, Outcome.PASS, said)
    below = [name for name in ("MAX_MODEL_LEN", "MAX_NUM_SEQS") if batched < values[name]]
    if below:
        said = f"MAX_NUM_BATCHED_TOKENS is {batched}, below {below[0]} {values[below[0]]}: the worker would raise it"
        return _row(setting, declared, shown, Outcome.FAIL, said)
    return _row(setting, declared, shown, Outcome.PASS, f"{batched} tokens a batch hold {values['MAX_MODEL_LEN']}")


def values_row(env: Mapping[str, str]) -> Row:
    """No value of the worker's settings is one that it refuses."""
    wrong = [f"{name}={env[name][:40]!r}: {said}" for name in sorted(env) if (said := _refused(name, env[name]))]
    shown = "all accepted" if not wrong else f"{len(wrong)} refused"
    said = wrong[0] if wrong else "the worker takes every value that is set"
    return _row("worker settings", "valid values", shown, Outcome.FAIL if wrong else Outcome.PASS, said)


def names_row(env: Mapping[str, str], known: tuple[str, ...]) -> Row:
    """Every name is read by something: one that nothing reads is a knob that does nothing."""
    unknown = sorted(name for name in env if name not in PARSERS and name not in known and not OTHERS.match(name))
    if not unknown:
        said = f"{len(env)} variables, each of a name that something reads"
        return _row("variable names", "known", "known", Outcome.PASS, said)
    near = {line.split(" ", 1)[0]: line for line in misspelt(dict.fromkeys(unknown, ""))}
    first = (
        near.get(unknown[0]) or f"{unknown[0]} is read by nothing: remove it, or list it in endpoint.expected.other_env"
    )
    said = f"{len(unknown)} of {len(env)}: {first}"
    return _row("variable names", "known", ", ".join(unknown)[:60], Outcome.FAIL, said)


def _declared_row(name: str, declared: str, live: str | None) -> Row:
    shown = [value if name in PARSERS else "(hidden)" for value in (declared, live or "")]
    if live is None:
        return _row(name, shown[0], "not set", Outcome.FAIL, f"{name} is not set on the endpoint")
    if live != declared:
        return _row(name, shown[0], shown[1], Outcome.FAIL, f"{name} has another value than declared")
    return _row(name, shown[0], shown[1], Outcome.PASS, f"{name} is as declared")


def _positive(text: str) -> bool:
    try:
        PARSERS["MAX_MODEL_LEN"](text)
    except ValueError:
        return False
    return True


def _refused(name: str, value: str) -> str:
    """Why the worker would refuse a value; MODEL_PATH is a folder of the image, which is not here."""
    if name not in PARSERS or name == "MODEL_PATH":
        return ""
    try:
        PARSERS[name](value)
    except ValueError as error:
        return str(error)
    return ""


def _short(image: str) -> str:
    """The image with twelve digits of its digest."""
    name, at, digest = image.partition("@sha256:")
    return f"{name}@sha256:{digest[:12]}…" if at else image


def _row(setting: str, declared: str, live: str, outcome: Outcome, reason: str) -> Row:
    return Row(item=ITEM, setting=setting, declared=declared, live=live, outcome=outcome, reason=reason)
