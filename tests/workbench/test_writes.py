"""What a page sends becomes events in the store, or is refused in a sentence."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipeline.review import effective

STUDY = "pmid999"


@pytest.fixture
def one(bench: Any) -> Any:
    """A workbench in mode "verify"."""
    return bench()


def counted(bench: Any, record_id: str = STUDY) -> Any:
    """A study as it counts."""
    desk = bench.desk
    return effective(desk.holdings.studies[record_id], desk.store.events(record_id), desk.mode)


def text(bench: Any, record_id: str = STUDY) -> str:
    """A record's text."""
    found: str = bench.desk.holdings.records[record_id].text
    return found


def test_an_accepted_value_is_reviewed_and_keeps_its_phrase(one: Any) -> None:
    answer = one.decide("Ada", STUDY, "n_total", "accepted")
    assert answer.status_code == 200
    (event,) = one.desk.store.events(STUDY)
    said = event.decision
    assert (said.who, said.verdict, said.value, said.old) == ("Ada", "accepted", "40", "40")
    assert said.evidence is not None
    assert text(one)[said.evidence.start : said.evidence.end] == said.evidence.text
    assert counted(one).n_total.reviewed == "accepted"
    assert "accepted" in "".join(answer.json()["parts"].values())


@pytest.mark.parametrize(("typed", "value"), [("39", 39), (" 39 ", 39), ("39.0", 39), ("40", 40)])
def test_a_typed_number_is_the_value(one: Any, typed: str, value: int) -> None:
    assert one.decide("Ada", STUDY, "n_total", "corrected", value=typed).status_code == 200
    assert counted(one).n_total.value == value
    verdict = "accepted" if value == 40 else "corrected"
    assert one.desk.store.events(STUDY)[0].decision.verdict == verdict


@pytest.mark.parametrize("typed", ["1,5", "1.234,5", "forty", "", "  ", "1e5", "-3", "3.5", "٣"])
def test_what_is_no_count_is_refused(one: Any, typed: str) -> None:
    answer = one.decide("Ada", STUDY, "n_total", "corrected", value=typed)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert one.desk.store.events() == []


def test_a_range_is_typed_with_to(one: Any) -> None:
    path = one.path(STUDY, ".events").replace(".events", ".iqr")
    assert one.decide("Ada", STUDY, path, "corrected", value="1.5 to 4").status_code == 200
    assert counted(one).outcomes[0].iqr.value == (1.5, 4.0)


def test_selected_words_become_the_evidence_beyond_the_bmp(one: Any) -> None:
    whole = text(one)
    start = whole.index("n = 40")
    assert whole.index("𝒙") < start, "letters of two UTF-16 units must stand before it"
    sent = {"start": start, "end": start + 6, "text": "n = 40"}
    answer = one.decide("Ada", STUDY, "n_total", "corrected", value="40", evidence=sent)
    assert answer.status_code == 200
    quote = one.desk.store.events(STUDY)[0].decision.evidence
    assert whole[quote.start : quote.end] == quote.text == "n = 40"


def test_a_control_character_is_selected_as_it_is_shown(one: Any) -> None:
    at = text(one).index("\u202e")
    sent = {"start": at, "end": at + 5, "text": "[U+202E]evil"}
    answer = one.decide("Ada", STUDY, "condition", "corrected", value="CIDP", evidence=sent)
    assert answer.status_code == 200
    assert one.desk.store.events(STUDY)[0].decision.evidence.text == "\u202eevil"


@pytest.mark.parametrize(("start", "end"), [(0, 6), (5000, 5006), (7, 7), (9, 3)])
def test_words_that_do_not_stand_there_are_refused(one: Any, start: int, end: int) -> None:
    sent = {"start": start, "end": end, "text": "n = 40"}
    answer = one.decide("Ada", STUDY, "n_total", "corrected", value="40", evidence=sent)
    assert answer.status_code == 422
    assert one.desk.store.events() == []


def test_a_stale_write_is_refused_and_changes_nothing(one: Any) -> None:
    assert one.decide("Ada", STUDY, "n_total", "accepted", version=0).status_code == 200
    stale = one.decide("Ben", STUDY, "n_total", "rejected", version=0)
    assert stale.status_code == 409
    assert "Reload" in stale.json()["detail"]
    assert len(one.desk.store.events()) == 1


def test_of_two_writes_at_once_one_is_kept(bench: Any, url: str | None) -> None:
    made = bench(url=url)
    people = ("Ada", "Ben", "Cleo")
    for who in people:
        made.client(who)

    def write(who: str) -> int:
        code: int = made.decide(who, STUDY, "n_total", "accepted", version=0).status_code
        return code

    with ThreadPoolExecutor(3) as pool:
        codes = sorted(pool.map(write, people))
    assert codes == [200, 409, 409]
    assert len(made.desk.store.events()) == 1


def test_not_reported_is_a_finding_and_rejected_leaves_a_hole(one: Any) -> None:
    one.decide("Ada", STUDY, "n_total", "not_reported")
    assert counted(one).n_total is None
    one.decide("Ada", STUDY, "condition", "rejected")
    assert counted(one).condition is None


def test_undo_is_a_new_event_that_brings_the_reading_back(one: Any) -> None:
    one.decide("Ada", STUDY, "n_total", "rejected")
    assert one.decide("Ada", STUDY, "n_total", "undone").status_code == 200
    assert counted(one).n_total.value == 40
    assert [e.decision.verdict for e in one.desk.store.events()] == ["rejected", "undone"]
    assert one.decide("Ada", STUDY, "n_total", "undone").status_code == 422


def test_another_ones_decision_cannot_be_undone(one: Any) -> None:
    one.decide("Ada", STUDY, "n_total", "rejected")
    assert one.decide("Ben", STUDY, "n_total", "undone").status_code == 422
    (event,) = one.desk.store.events()
    answer = one.client("Ben").post("/api/undo", json={"event_id": event.event_id})
    assert answer.status_code == 422
    assert one.client("Ada").post("/api/undo", json={"event_id": event.event_id}).status_code == 200


def test_a_rows_words_are_corrected_together(one: Any) -> None:
    path = one.path(STUDY, ".events").rpartition(".")[0]
    words = {"measure": "relapse", "type": "count", "arm": "IVIg"}
    assert one.decide("Ada", STUDY, path, "corrected", value=words).status_code == 200
    assert counted(one).outcomes[0].measure == "relapse"
    wrong = one.decide("Ada", STUDY, path, "corrected", value={**words, "type": "nonsense"})
    assert wrong.status_code == 422


def test_a_row_that_nobody_read_is_added_on_its_phrase(one: Any) -> None:
    whole = text(one)
    start = whole.index("cafe")
    sent = {"start": start, "end": start + 14, "text": whole[start : start + 14]}
    body = {"record_id": STUDY, "kind": "outcomes", "evidence": sent}
    body["words"] = {"measure": "coffee", "type": "count", "arm": "IVIg"}
    answer = one.client("Ada").post("/api/row", json=body)
    assert answer.status_code == 200
    added = next(o for o in counted(one).outcomes if o.measure == "coffee")
    assert added.quote.text == "cafe\u0301 patients"
    field = f"{answer.json()['field']}.events"
    assert one.decide("Ada", STUDY, field, "corrected", value="3", version=0).status_code == 200
    assert [o.events.value for o in counted(one).outcomes if o.measure == "coffee"] == [3]


def test_a_comment_decides_nothing(one: Any) -> None:
    assert one.decide("Ada", STUDY, "n_total", "comment", reason=" ").status_code == 422
    answer = one.decide("Ada", STUDY, "n_total", "comment", reason="see table 2")
    assert "see table 2" in "".join(answer.json()["parts"].values())
    assert counted(one).n_total.reviewed == ""


@pytest.mark.parametrize(
    "field", ["nothing", "screening", "outcomes@0000000000.events", "rob:rob2:1:support", "study"]
)
def test_what_is_no_field_of_the_study_is_refused(one: Any, field: str) -> None:
    assert one.decide("Ada", STUDY, field, "accepted", version=0).status_code == 422


def test_a_record_that_is_not_there_is_said(one: Any) -> None:
    assert one.decide("Ada", "pmid1", "n_total", "accepted", version=0).status_code == 404


@pytest.mark.parametrize("reason", ["\0", "\ud800"])
def test_what_no_database_can_hold_is_refused(one: Any, reason: str) -> None:
    version = {"record_id": STUDY, "field": "n_total", "version": 0, "verdict": "comment"}
    body = json.dumps({**version, "reason": reason}).encode()
    answer = one.client("Ada").post(
        "/api/decide", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["detail"] == "not of the form wanted: reason."


# Screening


def screen(bench: Any, who: str, verdict: str, version: int = 0, **more: str) -> Any:
    """A decision on the eligibility of the study."""
    body = {"record_id": STUDY, "verdict": verdict, "version": version, **more}
    return bench.client(who).post("/api/screen", json=body)


def test_a_persons_screening_outranks_the_rule(one: Any) -> None:
    assert one.desk.screened(STUDY, []).include
    assert screen(one, "Ada", "excluded").status_code == 422
    answer = screen(one, "Ada", "excluded", code="population", reason="duplicate of pmid1")
    assert answer.json()["version"] == 1
    assert "You said: excluded." in answer.json()["word"]
    found = one.desk.screened(STUDY, one.desk.store.events(STUDY))
    assert (found.include, found.code) == (False, "population")
    assert "duplicate of pmid1" in found.reason
    assert screen(one, "Ada", "undone", 1).status_code == 200
    assert one.desk.screened(STUDY, one.desk.store.events(STUDY)).include


def test_a_stale_screening_is_refused(one: Any) -> None:
    screen(one, "Ada", "included")
    assert screen(one, "Ben", "excluded", reason="x").status_code == 409


# Risk of bias, sensitivity, import


def test_an_answer_on_bias_is_kept_and_judges_nothing(one: Any) -> None:
    body = {"record_id": STUDY, "field": "rob:rob2:1:1.1", "version": 0, "value": "PY"}
    ada = one.client("Ada")
    assert ada.post("/api/rob", json=body).json()["version"] == 1
    assert ada.post("/api/rob", json=body).status_code == 409
    page = ada.get(f"/rob/{STUDY}?tool=rob2").text
    assert page.count("selected") == 1
    assert "<option selected>PY</option>" in page
    for wrong in ({"value": "MAYBE"}, {"field": "rob:rob2:9:9.9"}):
        assert ada.post("/api/rob", json={**body, "version": 1, **wrong}).status_code == 422
    judged = {**body, "field": "rob:rob2:1:judgement", "value": "Some concerns"}
    assert ada.post("/api/rob", json=judged).status_code == 200
    assert "Evil <b> 2024,Some concerns,," in ada.get("/export/rob2.csv").text


def test_a_choice_of_studies_is_kept_under_its_name(one: Any) -> None:
    ada = one.client("Ada")
    body = {"question": "single_arm_responders", "name": "no <b>", "without": [STUDY]}
    assert ada.post("/api/sensitivity", json=body).status_code == 200
    page = ada.get("/analysis/single_arm_responders").text
    assert "no &lt;b&gt;" in page
    assert "Evil &lt;b&gt; 2024</td>" in page
    assert ada.post("/api/sensitivity", json={**body, "question": "x"}).status_code == 404
    assert ada.post("/api/sensitivity", json={**body, "name": "a\nb"}).status_code == 422


def test_decisions_go_from_one_machine_to_another(bench: Any) -> None:
    here, there = bench(bound=False), bench(bound=False)
    here.decide("Ada", STUDY, "n_total", "corrected", value="39")
    lines = here.client("Ada").get("/export/decisions.jsonl").content
    for new in (1, 0):
        answer = there.client("Ben").post("/api/import", content=lines)
        assert answer.json()["said"].startswith(f"Saved: {new} decisions are new")
    assert counted(there).n_total.value == 39
    changed = there.client("Ben").post("/api/import", content=lines.replace(b"39", b"38"))
    assert changed.status_code == 422
    assert "line 1" in changed.json()["detail"]


def test_nobody_brings_decisions_in_anothers_name_where_names_are_bound(one: Any) -> None:
    assert one.client("Ben").post("/api/import", content=b"").status_code == 422
