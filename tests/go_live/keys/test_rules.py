"""What a secret looks like, and what does not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_live.keys import rules
from go_live.keys.rules import find
from go_live.keys.stream import Hit, hits
from tests.go_live.keys.made_up import ALL, HEX, UPPER, drawn, of_kind

KINDS = ("runpod", "runpod-s3", "hugging-face", "aws", "github", "github-fine", "slack", "slack-hook", "private-key")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("around", ["{}", "key = '{}'\n", "# {} #", '{{"a": "{}"}}', "x" * 5000 + " {} " + "y" * 5000])
def test_a_providers_key_is_found_wherever_it_stands(kind: str, around: str) -> None:
    """A key is found at the start of a text, quoted, in JSON, and within a very long line."""
    text = around.format(of_kind(kind)).encode()
    expected = {"github-fine": "github", "slack-hook": "slack"}.get(kind, kind)
    assert [match.rule for match in find(text)] == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "API_KEY={}",
        "export DB_PASSWORD={}",
        'secret = "{}"',
        "  client-secret: {}",
        '"accessToken": "{}",',
        "auth_token => '{}'",
        "curl -H 'Authorization: Bearer {}'",
        '<add key="ApiKey" value="{}"/>',
        "apiKey := `{}`",
        'os.environ["WEBHOOK_SECRET"] = "{}"',
    ],
)
@pytest.mark.parametrize("value", [drawn(24), drawn(32, HEX), drawn(40, ALL + "+/")])
def test_a_random_value_of_a_key_like_name_is_found(line: str, value: str) -> None:
    """A high-entropy value is found behind a key-like name in the common formats."""
    found = find(f"{line.format(value)}\n".encode())
    assert [match.rule for match in found] == ["assignment"]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("RUNPOD_API_KEY", drawn(40, UPPER).upper(), "runpod"),
        ("AWS_SECRET_ACCESS_KEY", drawn(40, ALL + "+/"), "aws"),
        ("PAGERDUTY_TOKEN", drawn(20), "pagerduty"),
        ("PD_ROUTING_KEY", drawn(32, HEX), "pagerduty"),
        ("DD_API_KEY", drawn(32, HEX), "datadog"),
        ("datadog_app_key", drawn(40, HEX), "datadog"),
    ],
)
def test_a_key_without_a_mark_is_named_by_its_variable(name: str, value: str, rule: str) -> None:
    """PagerDuty, Datadog and old RunPod keys have no prefix: their variable's name tells whose they are."""
    assert [match.rule for match in find(f"{name}={value}\n".encode())] == [rule]


@pytest.mark.parametrize(
    "line",
    [
        "api_key = os.environ['API_KEY_OF_THE_ENDPOINT']",
        "token = secrets.token_urlsafe(24)",
        'API_KEY="${RUNPOD_API_KEY_FROM_VAULT}"',
        "api_key: {{ secrets.RUNPOD_API_KEY_2 }}",
        "password = getpass.getpass(prompt_text_2)",
        f'"integrity": "sha512-{drawn(64)}"',
        f"public_key = '{drawn(40)}'",
        f"api_key_fingerprint = '{drawn(40)}'",
        "max_new_tokens = 1234567890123456",
        "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "secret = 'your-secret-goes-here-1234'",
        f"-----BEGIN {'PRIVATE'} KEY-----",
        "tokenizers-cpp==0.22.2.post20261028",
    ],
)
def test_what_only_looks_like_a_secret_is_none(line: str) -> None:
    """References, calls, templates, digests, public keys and placeholders are no findings."""
    assert find(f"{line}\n".encode()) == []


PIECES = st.sampled_from(
    [
        *(f" {of_kind(kind)} " for kind in KINDS),
        f"api_key = '{drawn(30)}'\n",
        "a line\n",
        "\n",
        "x" * 300,
        "é",
        "key = ",
    ]
)


@given(parts=st.lists(PIECES, max_size=30), cuts=st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_no_secret_is_lost_where_pieces_meet(parts: list[str], cuts: list[int]) -> None:
    """A text in pieces of any lengths gives the same secrets at the same lines as the whole."""
    text = "".join(parts).encode()
    pieces, at = [], 0
    for index in range(len(text)):
        size = cuts[index % len(cuts)]
        if at >= len(text):
            break
        pieces.append(text[at : at + size])
        at += size
    whole = [
        Hit(match.rule, text.count(b"\n", 0, match.start) + 1, text[match.start : match.end]) for match in find(text)
    ]
    assert list(hits(pieces)) == whole


@given(st.binary(max_size=4000))
def test_any_bytes_are_looked_at(text: bytes) -> None:
    """Bytes of no encoding are looked at like any others, in one piece or in many."""
    assert list(hits([text])) == list(hits(text[i : i + 100] for i in range(0, len(text), 100)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read(encoding: str) -> None:
    """A file in UTF-16, as some editors write, hides nothing."""
    mark = b"" if encoding == "utf-16" else "\ufeff".encode(encoding)
    text = mark + f"first\nKEY={of_kind('runpod')}\n".encode(encoding)
    assert [(hit.rule, hit.line) for hit in hits([text[:50], text[50:]])] == [("runpod", 2)]


@pytest.mark.parametrize(
    "unit",
    [
        b"key=",
        b"secret: ",
        b"a.",
        b"token ",
        b'key="',
        b"key\t",
        b"-----BEGIN A ",
        b"rpa_",
        b"aA1=:",
        b"PRIVATE KEY",
        b"=",
    ],
)
def test_no_text_takes_longer_than_its_length(unit: bytes) -> None:
    """A text made to make patterns backtrack costs at most a small multiple of one half as long."""

    def seconds(size: int) -> float:
        text, begin = unit * (size // len(unit)), time.process_time()
        find(text)
        return time.process_time() - begin

    short, long = (min(seconds(size) for _ in range(2)) for size in (100_000, 400_000))
    assert long <= 12 * short + 0.1


def test_masks_show_nothing_of_the_secret() -> None:
    """What is shown of a secret is the beginning that all of its kind share."""
    from go_live.keys.findings import mask  # noqa: PLC0415 - beside its only use

    for kind in KINDS:
        assert of_kind(kind)[-20:].strip() not in mask(of_kind(kind).encode())
    assert mask(drawn(30).encode()) == "***(30 characters)"
    assert rules.entropy(b"") == 0


@pytest.mark.parametrize("line", ["def sign(key: Ed25519PrivateKey, body: bytes)", "secret: X25519PrivateKey, more"])
def test_the_name_of_an_algorithm_is_no_secret(line: str) -> None:
    """A type annotation has digits in it, and is words all the same."""
    assert find(line.encode()) == []
