"""Metadata: made for a GO alone, valid against a strict schema, and a rehearsal's is never a release's."""

import hashlib
import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_live.checklist import Target
from go_live.config import Config
from go_live.decide import Answer
from go_live.errors import MeasurementError, UsageError
from go_live.evidence.run_directory import decide_run
from go_live.keys.fingerprint import fingerprint
from go_live.outcome import SATISFYING, Outcome
from go_live.release import metadata as m
from go_live.release.way_back import Previous, WayBack, way_back
from tests.go_live.release.conftest import (
    ENDED,
    FIGURES,
    FILES,
    PASSED,
    WAIVER,
    make_metadata,
    make_plan,
    rehearsal_plan,
)

COMMIT = "a" * 40


@pytest.fixture
def document(config: Config) -> dict[str, Any]:
    """Metadata of the profile ``test``."""
    return make_metadata(make_plan(config, COMMIT))


def production(document: dict[str, Any]) -> dict[str, Any]:
    """``document`` as the production profile writes it."""
    live = {
        "profile": "production",
        "target": {"kind": "runpod", "device": "live"},
        "image": "registry.example.org/worker@sha256:" + "ab" * 32,
        "template_id": "tpl123",
        "environment_sha256": "e" * 64,
        "endpoint_config": {"workers_min": 2},
    }
    return {name: value for name, value in document.items() if name != "notice"} | live


class TestContent:
    """What the file says."""

    def test_the_summary_s_fields_stand_where_they_stood(self, document: dict[str, Any]) -> None:
        """A reader of the original team's file finds every field of it, of the same kind."""
        assert {name: document[name] for name in ("version", "git_commit", "deployed_at", "model")} == {
            "version": "v1.0-production",
            "git_commit": COMMIT,
            "deployed_at": "2025-10-10T13:30:00Z",
            "model": "Puneetrinity/qwen2-7b-career",
        }
        assert document["endpoint_id"] == "local"
        assert document["performance"] == {
            "exec_ms_p50": 2788.0, "total_ms_p50": 3453.0, "queue_ms_p50": 12.0, "success_rate": 1.0,
        }  # fmt: skip

    def test_each_figure_names_its_level_and_n(self, document: dict[str, Any]) -> None:
        """No figure is quoted without what it was measured on."""
        assert document["performance_basis"]["total_ms_p50"] == {"level": "c=2", "n": 124}
        assert document["performance_basis"]["success_rate"] == {"level": "levels and soak", "n": 2556}

    def test_slo_results(self, document: dict[str, Any]) -> None:
        """Every claim with a limit is listed with outcome, figure, limit and n; one without a limit is none."""
        [result] = document["slo_results"]
        assert (result["item"], result["outcome"], result["measured"], result["limit"], result["n"]) == (
            "PERF-3", "pass", 3453.0, 5000.0, 124,
        )  # fmt: skip

    def test_evidence_is_named_by_digest(self, document: dict[str, Any]) -> None:
        """Each file by its sha256, and all of them by the sha256 of what ``sha256sum`` prints."""
        assert document["evidence"] == {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
        lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(FILES.items()))
        assert document["evidence_sha256"] == hashlib.sha256(lines.encode()).hexdigest()

    def test_bytes_are_deterministic_and_read_back(self, document: dict[str, Any]) -> None:
        """The same document gives the same bytes, one final newline, and reads back as itself."""
        content = m.encode(document)
        assert content == m.encode(json.loads(content))
        assert content.endswith(b"}\n")
        assert m.read(content) == document

    def test_notice_comes_first(self, config: Config) -> None:
        """Who opens a rehearsal's file reads that it is one before anything else."""
        document = make_metadata(rehearsal_plan(config, COMMIT))
        assert next(iter(document)) == "notice"
        assert document["notice"].startswith("REHEARSAL: ")


class TestOnlyGo:
    """Anything but a GO that follows from plan and results makes no metadata."""

    @pytest.mark.parametrize("outcome", sorted(set(Outcome) - SATISFYING))
    def test_no_other_decision(self, config: Config, outcome: Outcome) -> None:
        """A required item that is not satisfied: refused, with the decision's reason."""
        plan = make_plan(config, COMMIT)
        results = (PASSED[0], msgspec.structs.replace(PASSED[1], outcome=outcome, reason="because"))
        decision = decide_run(plan, results, now=ENDED)
        with pytest.raises(UsageError, match=r"no metadata without a GO.*because"):
            make_metadata(plan, results=results, decision=decision)

    def test_a_forged_decision(self, config: Config) -> None:
        """A decision that says GO where the results do not is found out."""
        plan = make_plan(config, COMMIT)
        with pytest.raises(UsageError, match="the decision says GO, but the results say"):
            make_metadata(plan, results=PASSED[:1])

    def test_a_part_of_the_plan(self, config: Config) -> None:
        """A run that was asked for less than what is required cannot release, even if somebody wrote GO."""
        whole = make_plan(config, COMMIT)
        part = msgspec.structs.replace(whole, selected=("PERF-3",))
        go = decide_run(whole, PASSED, now=ENDED)
        assert go.answer is Answer.GO
        with pytest.raises(UsageError, match="results say"):
            make_metadata(part, results=PASSED[:1], decision=go)

    def test_another_run_s_decision(self, config: Config) -> None:
        """A GO cannot be carried over from another run."""
        other = decide_run(make_plan(config, COMMIT, run_id="other"), PASSED, now=ENDED)
        with pytest.raises(UsageError, match="is of run other"):
            make_metadata(make_plan(config, COMMIT), decision=other)

    @pytest.mark.parametrize("value", [math.inf, math.nan])
    def test_a_figure_that_is_not_finite(self, config: Config, value: float) -> None:
        """An infinite or undefined figure is no figure."""
        figures = {**FIGURES, "total_ms_p50": m.Figure(value=value, level="c=2", n=124)}
        with pytest.raises(MeasurementError, match="finite total_ms_p50"):
            make_metadata(make_plan(config, COMMIT), figures=figures)

    def test_a_missing_figure(self, config: Config) -> None:
        """Every figure of the summary is there, or there is no metadata."""
        figures = {name: figure for name, figure in FIGURES.items() if name != "success_rate"}
        with pytest.raises(MeasurementError, match="success_rate"):
            make_metadata(make_plan(config, COMMIT), figures=figures)

    def test_no_evidence(self, config: Config) -> None:
        """A decision without evidence files rests on nothing."""
        with pytest.raises(UsageError, match="evidence"):
            make_metadata(make_plan(config, COMMIT), evidence={})


@pytest.fixture
def waived(config: Config) -> dict[str, Any]:
    """Metadata of a release that rests on a waiver."""
    plan = make_plan(config, COMMIT, waivers=(WAIVER, msgspec.structs.replace(WAIVER, version="v0.9-production")))
    results = (PASSED[0], msgspec.structs.replace(PASSED[1], outcome=Outcome.FAIL, reason="no answer"))
    return make_metadata(plan, results=results, decision=decide_run(plan, results, now=ENDED))


class TestWaivers:
    """A decision that rests on a waiver says so in every line that outlives the run."""

    def test_metadata(self, waived: dict[str, Any]) -> None:
        """The decision is called what it is, and only the waivers that it rests on are listed, each in full."""
        assert waived["decision"]["answer"] == "GO-WITH-WAIVERS"
        assert (waived["decision"]["satisfied"], waived["decision"]["required"]) == (1, 2)
        assert waived["waivers"] == [
            {
                "item": "SMK-1",
                "outcome": "fail",
                "owner": "Ada Lovelace <ada@example.org>",
                "approver": "Grace Hopper <grace@example.org>",
                "approval": "signed commit 3389986f0d33 by grace@example.org",
                "reason": "The route is\nnot used.",
                "issued": "2025-11-20",
                "expires": "2025-11-25",
                "for": "version v1.0-production",
            }
        ]

    def test_tag(self, waived: dict[str, Any]) -> None:
        """The title says it, and each waiver has one line, whatever stands in its reason."""
        title, *lines = m.tag_message(waived).splitlines()
        assert title.startswith("Test of a release with waivers: ")
        (told,) = [line for line in lines if line.startswith("Waived: ")]
        assert told == (
            "Waived: SMK-1 (fail), owner Ada Lovelace <ada@example.org>, approved by Grace Hopper <grace@example.org> "
            "(signed commit 3389986f0d33 by grace@example.org), until 2025-11-25: The route is not used."
        )

    def test_a_go_has_none(self, document: dict[str, Any]) -> None:
        """A GO rests on no waiver, and its title names none."""
        assert document["waivers"] == []
        assert "waiver" not in m.tag_message(document).casefold()

    def test_one_word_alone_is_invalid(self, document: dict[str, Any], waived: dict[str, Any]) -> None:
        """GO with waivers in it, and GO-WITH-WAIVERS without any, are refused by the schema."""
        for changed in (
            waived | {"decision": waived["decision"] | {"answer": "GO"}},
            waived | {"waivers": []},
            document | {"decision": document["decision"] | {"answer": "GO-WITH-WAIVERS"}},
            document | {"waivers": waived["waivers"]},
        ):
            with pytest.raises(UsageError, match=r"waivers"):
                m.validate(changed)

    def test_a_waiver_that_the_plan_did_not_freeze(self, config: Config) -> None:
        """A decision that rests on a waiver the plan does not have is found out."""
        plan = make_plan(config, COMMIT, waivers=(WAIVER,))
        results = (PASSED[0], msgspec.structs.replace(PASSED[1], outcome=Outcome.FAIL, reason="no answer"))
        decision = decide_run(plan, results, now=ENDED)
        bare = msgspec.structs.replace(plan, waivers=())
        with pytest.raises(UsageError, match="the decision says GO-WITH-WAIVERS, but the results say NO-GO"):
            make_metadata(bare, results=results, decision=decision)

    def test_the_key_s_fingerprint_is_told(self, config: Config) -> None:
        """A verified key's fingerprint is recorded; anything else in its place is refused."""
        plan, text = make_plan(config, COMMIT), fingerprint("a key", bytes(16))
        assert m.KEY_FINGERPRINT not in make_metadata(plan)
        assert make_metadata(plan, fingerprints=m.Fingerprints(api_key=text))[m.KEY_FINGERPRINT] == text
        with pytest.raises(UsageError, match="api_key_fingerprint"):
            make_metadata(plan, fingerprints=m.Fingerprints(api_key="a key"))

    def test_the_image_is_told(self, config: Config) -> None:
        """Metadata names the image that was measured; unknown where the worker names none."""
        assert make_metadata(make_plan(config, COMMIT))["image"] == "unknown"
        assert make_metadata(make_plan(config, COMMIT), back=WayBack(image="sha256:ab12"))["image"] == "sha256:ab12"


class TestWayBack:
    """What a rollback needs is in the metadata, or a production release is not made."""

    LIVE = WayBack(
        image="registry.example.org/worker@sha256:" + "ab" * 32,
        template_id="tpl123",
        environment_sha256="e" * 64,
        endpoint_config={"workers_min": 2},
    )

    def make(self, config: Config, back: WayBack) -> dict[str, Any]:
        """Metadata of a production release."""
        target = Target(kind="runpod", endpoint_id="e", job_api="https://x", device="live")
        plan = make_plan(config, COMMIT, profile="production", target=target)
        return make_metadata(plan, back=back, decision=decide_run(plan, PASSED, now=ENDED))

    def test_a_rehearsal_says_unknown(self, config: Config) -> None:
        """On one machine there is no template, no environment and no endpoint: unknown, and said so."""
        document = make_metadata(rehearsal_plan(config, COMMIT))
        assert (document["template_id"], document["environment_sha256"]) == ("unknown", "unknown")
        assert document["endpoint_config"] is None

    def test_production_records_all_of_it(self, config: Config) -> None:
        """What the infrastructure checks found is recorded as it is."""
        document = self.make(config, self.LIVE)
        assert (document["template_id"], document["endpoint_config"]) == ("tpl123", {"workers_min": 2})
        assert (document["first_release"], document["previous_release"]) == (True, None)

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("image", "unknown", "the image's digest"), ("image", "worker:latest", "the image's digest"),
            ("template_id", "unknown", "the template"), ("environment_sha256", "unknown", "the environment's digest"),
            ("endpoint_config", None, "the endpoint's configuration"), ("endpoint_config", {}, "the endpoint's config"),
        ],
    )  # fmt: skip
    def test_production_without_it_is_refused(self, config: Config, field: str, value: object, told: str) -> None:
        """Each part is needed; the message names what is missing."""
        with pytest.raises(MeasurementError, match=told):
            self.make(config, msgspec.structs.replace(self.LIVE, **{field: value}))

    def test_the_target_is_the_plan_s(self, config: Config) -> None:
        """The rollback target that is recorded is the one that the plan named, and a first release has none."""
        previous = Previous(version="v0.9", git_commit="c" * 40, image="x")
        with pytest.raises(UsageError, match=r"target is None, and what was verified is v0\.9"):
            self.make(config, msgspec.structs.replace(self.LIVE, previous=previous))
        later = msgspec.structs.replace(
            config, release=msgspec.structs.replace(config.release, first_release=False, previous="v0.9")
        )
        with pytest.raises(UsageError, match=r"target is v0\.9, and what was verified is None"):
            self.make(later, self.LIVE)
        document = self.make(later, msgspec.structs.replace(self.LIVE, previous=previous))
        assert document["previous_release"] == {"version": "v0.9", "git_commit": "c" * 40, "image": "x"}

    def test_what_the_log_says(self) -> None:
        """The newest fact counts, a malformed one is an error, and none is unknown."""
        told: list[dict[str, Any]] = [
            {"deployment": {"template_id": "a"}},
            {"deployment": {"template_id": "b", "environment_sha256": None}},
        ]
        assert way_back(told, image="i", previous=None) == WayBack(image="i", template_id="b")
        assert way_back([{"probe": {}}], image="unknown", previous=None) == WayBack()
        with pytest.raises(MeasurementError, match="malformed"):
            way_back([{"deployment": {"template_id": 1}}], image="i", previous=None)


class TestSchema:
    """The schema is strict, and tells the profiles apart."""

    def test_all_three_profiles_are_valid(self, config: Config, document: dict[str, Any]) -> None:
        """A test's, a rehearsal's and a production release's metadata."""
        m.validate(document)
        m.validate(make_metadata(rehearsal_plan(config, COMMIT)))
        m.validate(production(document) | {"clean_tree": True})

    @settings(deadline=None)  # a claim about validity, not about time
    @given(data=st.data())
    def test_every_field_is_needed_and_no_other_is_taken(self, config: Config, data: st.DataObject) -> None:
        """At any depth, an object with a field less or a field more is refused."""
        changed = json.loads(m.encode(make_metadata(make_plan(config, COMMIT))))
        places = [changed, changed["performance"], changed["performance_basis"], changed["target"], changed["decision"],
                  changed["slo_results"][0], changed["performance_basis"]["exec_ms_p50"]]  # fmt: skip
        place = data.draw(st.sampled_from(places))
        if data.draw(st.booleans(), label="less"):
            del place[data.draw(st.sampled_from(sorted(place)))]
        else:
            place[data.draw(st.text(min_size=1).filter(lambda name: name not in place))] = 1
        with pytest.raises(UsageError):
            m.validate(changed)

    @pytest.mark.parametrize(
        "change",
        [
            {"profile": "production"},
            {"profile": "production", "notice": None},
            {"target": {"kind": "runpod", "device": "live"}},
            {"target": {"kind": "local", "device": "timed"}},
            {"notice": "TEST: x"},
        ],
    )
    def test_a_rehearsal_cannot_be_made_to_look_like_anything_else(
        self, config: Config, change: dict[str, Any]
    ) -> None:
        """Changing profile, notice or target alone gives an invalid file."""
        document = make_metadata(rehearsal_plan(config, COMMIT)) | change
        if change.get("notice", "") is None:
            del document["notice"]
        with pytest.raises(UsageError, match=r"DEPLOYMENT_METADATA\.json: \$"):
            m.validate(document)

    def test_production_on_a_dirty_tree(self, document: dict[str, Any]) -> None:
        """A production release of what is in no commit is invalid."""
        with pytest.raises(UsageError, match="clean_tree"):
            m.validate(production(document) | {"clean_tree": False})

    def test_production_without_slo_results(self, document: dict[str, Any]) -> None:
        """A production release that lists no claim is invalid."""
        with pytest.raises(UsageError, match="slo_results"):
            m.validate(production(document) | {"slo_results": []})

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("git_commit", "abc"), ("git_commit", "A" * 40), ("deployed_at", "2025-10-10 13:30"),
            ("deployed_at", "2025-13-10T13:30:00Z"), ("version", ""), ("profile", "staging"), ("evidence", {"a": "b"}),
            ("slo_results", [{}]), ("run_id", None),
        ],
    )  # fmt: skip
    def test_wrong_values(self, document: dict[str, Any], field: str, value: object) -> None:
        """A value of the wrong form is refused, and the field is named."""
        with pytest.raises(UsageError, match=rf"\$\.{field}"):
            m.validate(document | {field: value})

    def test_the_schema_is_a_schema(self) -> None:
        """It is valid JSON Schema 2020-12 itself; a misspelt keyword would check nothing."""
        validator = m._validator()
        validator.check_schema(validator.schema)

    @pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"version": NaN}', b"\xff"])
    def test_not_a_metadata_file(self, content: bytes) -> None:
        """Bytes that are no JSON object are refused in one line."""
        with pytest.raises(UsageError, match=r"DEPLOYMENT_METADATA\.json"):
            m.read(content)


class TestTagMessage:
    """The tag's message."""

    def test_whole(self, document: dict[str, Any]) -> None:
        """Readiness first, then the run and the evidence it is bound to."""
        expected = document["evidence_sha256"]
        assert m.tag_message(production(document)) == (
            "Production release: 2.8 s exec, 3.5 s total p50 at c=2\n\n"
            "Success: 100.00% of 2556 requests (levels and soak)\n"
            "Items: 2 of 2 satisfied\n"
            "Run: 20251010T121412Z-1a2b\n"
            f"Evidence: sha256:{expected}"
        )

    def test_two_levels_are_named(self, config: Config) -> None:
        """The summary mixed rows (exec of c=4, total of c=2); each figure then names its own."""
        figures = {**FIGURES, "exec_ms_p50": m.Figure(value=2810, level="c=4", n=124)}
        document = make_metadata(make_plan(config, COMMIT), figures=figures)
        assert m.readiness(document) == "2.8 s exec p50 at c=4, 3.5 s total p50 at c=2"

    def test_small_figures_keep_their_meaning(self, config: Config) -> None:
        """A rehearsal's fractions of a second are shown in milliseconds, not as 0.3 s."""
        figures = {**FIGURES, "exec_ms_p50": m.Figure(value=347.4, level="c=2", n=124)}
        document = make_metadata(make_plan(config, COMMIT), figures=figures)
        assert m.readiness(document) == "347 ms exec, 3.5 s total p50 at c=2"
