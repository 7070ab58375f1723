"""What may leave: known fields in their forms, the worker's own words, and never a prompt or a key."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.shipping.allowed import ENGINE, EVENTS, FORMS, OTHER, AllowList
from rehearsal.golden import golden_prompts
from tests.go_live.keys.made_up import of_kind
from worker import guardrails
from worker.guardrails import Refused

MARK = "zebra"
"""A word that no message of the worker has; every planted prompt holds it."""
PROMPTS = st.builds(
    lambda before, after: f"{before} {MARK} {after}",
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=30),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=30),
)
KEYS = st.builds(of_kind, st.sampled_from(["runpod", "hugging-face", "aws", "github", "slack"]), st.integers(1, 50))
NAMES = st.sampled_from([*FORMS, *ENGINE, "error", "message", "engine", "event", "prompt", "text", "x"])
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-10, 10_000), st.sampled_from(["end", "refused", "sync-12-u1"]))


def holding(planted: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Lines that hold what is planted: as a value, a name, deep inside, in plain text, in a line that is torn."""
    deep = st.recursive(
        st.one_of(planted, PLAIN),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.one_of(NAMES, planted), inner, max_size=3)
        ),
        max_leaves=6,
    )
    fields = st.dictionaries(st.one_of(NAMES, planted), deep, max_size=6)
    told = st.builds(lambda kind, more: {**more, "event": kind}, st.sampled_from(sorted(EVENTS)), fields)
    dumped = st.builds(lambda one, ascii_: json.dumps(one, ensure_ascii=ascii_), told, st.booleans())
    plain = st.builds("{}{}{}".format, st.sampled_from(["", "ERROR ", "ValueError: ", "{"]), planted, st.just("!"))
    torn = st.builds(lambda text, at: text[: max(1, len(text) * at // 10)], dumped, st.integers(1, 9))
    return st.one_of(dumped, plain, torn)


@settings(max_examples=60, deadline=None)
@given(holding(PROMPTS))
def test_no_prompt_leaves(line: str) -> None:
    """Wherever in a line a prompt stands, no word of it leaves."""
    assert MARK not in AllowList().clean(line)


@settings(max_examples=60, deadline=None)
@given(KEYS.flatmap(lambda key: st.tuples(st.just(key), holding(st.just(key)))))
def test_no_key_leaves(planted: tuple[str, str]) -> None:
    """Wherever in a line a provider's key stands, it does not leave."""
    key, line = planted
    assert key not in AllowList().clean(line)


@pytest.mark.parametrize("kind", ["aws", "slack", "runpod", "github"])
def test_a_key_that_has_the_form_of_an_id_does_not_leave(kind: str) -> None:
    """Where a job's id stands, letters, digits and hyphens would do: what is known as a key goes all the same."""
    line = json.dumps({"event": "end", "request_id": of_kind(kind), "ok": True})
    assert json.loads(AllowList().clean(line)) == {"event": "end", "ok": True}


@pytest.mark.parametrize("field", ["request_id", "intent", "error", "x"])
def test_this_process_own_secrets_do_not_leave(field: str) -> None:
    """A secret that looks like nothing, and would pass for a job's id or an intent, is known by itself."""
    secret = {"request_id": "c0ffee-17-hunter2", "intent": "hunter_two", "error": "refused prompt"}.get(
        field, "hunter2x"
    )
    line = json.dumps({"event": "end", field: secret})
    assert secret in AllowList().clean(line) or field == "x"
    assert secret not in AllowList([secret]).clean(line)


@settings(max_examples=60, deadline=None)
@given(st.one_of(holding(PROMPTS), holding(KEYS), st.text(max_size=80)))
def test_what_was_cut_down_stays_as_it_is(line: str) -> None:
    """The allow-list applied twice is the allow-list: the platform's lines pass it before the disk and after."""
    allow = AllowList()
    assert allow.clean(once := allow.clean(line)) == once


@pytest.mark.parametrize(
    "told",
    [
        {
            "event": "start",
            "request_id": "sync-1-u1",
            "prompt_len": 42,
            "max_tokens": 150,
            "stream": False,
            "validation_enabled": True,
        },
        {
            "event": "end",
            "request_id": "a1b2c3d4",
            "ok": True,
            "exec_ms": 2810.1,
            "tokens_generated": 150,
            "intent": "career_guidance",
            "valid": None,
        },
        {
            "event": "ready",
            "engine": {"kind": "vllm", "max_model_len": 4096, "enforce_eager": False},
            "max_concurrency": 4,
        },
        {"event": "adjusted", "setting": "MAX_NUM_BATCHED_TOKENS", "asked": 1024, "effective": 4096},
    ],
)
def test_what_the_worker_says_arrives_whole(told: dict[str, Any]) -> None:
    """Every documented field is kept, in its order."""
    line = {"ts": "2026-11-24T18:00:00.123Z", **told}
    assert json.loads(AllowList().clean(json.dumps(line))) == line


REFUSED: list[Any] = [
    {},
    {"prompt": ""},
    {"prompt": 7},
    {"prompt": "x" * 2000},
    {"prompt": "hello", "surprise": 1},
    {"prompt": "hello", "stream": "yes"},
    {"prompt": "hello", "max_tokens": 3.5},
    {"prompt": "hello", "sampling_params": []},
    {"prompt": "hello", "sampling_params": {"temperature": 99}},
    {"prompt": "hello", "sampling_params": {"top_p": "much"}},
    {"prompt": "hello", "sampling_params": {"stop": ["x" * 100]}},
    {"prompt": "hello", "max_tokens": 9, "sampling_params": {"max_tokens": 9}},
    {"prompt": "hello", "sampling_params": {"min_tokens": 250, "max_tokens": 70}},
    {"prompt": "\ud800"},
    {"probe": {"nonce": ""}},
    [],
]


@pytest.mark.parametrize("payload", REFUSED)
def test_the_worker_s_own_refusals_arrive_word_for_word(payload: Any) -> None:
    """What the guardrails log of a refusal is made of words that are known here."""
    with pytest.raises(Refused) as refusal:
        guardrails.accept(payload)
    said = refusal.value.logged
    kept = json.loads(AllowList().clean(json.dumps({"event": "end", "error": said})))
    assert kept["error"] == said


@pytest.mark.parametrize(
    "said",
    [
        "engine failed: the engine raised ValueError",
        "engine failed: the engine ended the request with 'abort'",
        "engine dead: the engine's process has ended; this worker ends and is replaced",
        "internal error: KeyError",
        "cancelled: the job was stopped before it had an answer",
        "refused: too many tokens: 4000 of prompt and up to 256 of answer, at most 4096 together",
    ],
)
def test_the_worker_s_other_errors_arrive_word_for_word(said: str) -> None:
    """Likewise what handler and engine log."""
    assert json.loads(AllowList().clean(json.dumps({"event": "end", "error": said})))["error"] == said


def test_foreign_text_is_told_by_its_length() -> None:
    """An error in other words, as of another worker, is counted and not sent: each golden prompt, too."""
    for golden in golden_prompts():
        kept = json.loads(AllowList().clean(json.dumps({"event": "end", "error": golden.prompt})))
        assert kept["error"] == f"[{len(golden.prompt)} characters that are not the worker's own]"


def test_lines_that_are_not_structured_are_counted_by_what_they_tell_of() -> None:
    """A traceback and an out-of-memory are named; their text is not there."""
    allow = AllowList()
    kept = [
        json.loads(allow.clean(line)) for line in ("Traceback (most recent call last):", "CUDA out of memory. Tried")
    ]
    assert [one["event"] for one in kept] == [OTHER, OTHER]
    assert [one["says"] for one in kept] == [{"a traceback": 1}, {"CUDA out of memory": 1}]
    assert allow.clean("   ") == ""
