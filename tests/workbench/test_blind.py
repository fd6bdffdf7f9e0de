"""Mode "dual" over HTTP: nothing tells what the other said before both have finished."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.review import effective

STUDY, OTHER = "pmid999", "pmid15364691"
VALUE = "31337"
ADDRESSES = (
    "/",
    f"/study/{STUDY}",
    f"/screen/{STUDY}",
    f"/conflict/{STUDY}",
    "/conflicts",
    "/analysis/single_arm_responders?unreviewed=1",
    f"/rob/{STUDY}?tool=rob2",
    "/audit",
    "/audit.csv",
    "/audit.jsonl",
    "/export/decisions.jsonl",
    "/export/audit.csv",
    "/export/studies.jsonl",
    "/export/fields.csv",
    "/export/rob2.csv",
)


@pytest.fixture
def dual(bench: Any, url: str | None) -> Any:
    """A workbench in mode "dual", on each database, in which Ada has said something everywhere."""
    made = bench("dual", url=url)
    ada = made.client("Ada")
    made.decide("Ada", STUDY, "n_total", "corrected", value=VALUE, reason="SECRET WORD")
    made.decide("Ada", STUDY, "condition", "rejected")
    support = {"record_id": STUDY, "field": "rob:rob2:1:support", "version": 0}
    assert ada.post("/api/rob", json={**support, "value": "SECRET WORD"}).status_code == 200
    screened = {"record_id": STUDY, "version": 0, "verdict": "excluded", "reason": "SECRET WORD"}
    assert ada.post("/api/screen", json=screened).status_code == 200
    kept = {"question": "single_arm_responders", "name": "SECRET WORD", "without": []}
    assert ada.post("/api/sensitivity", json=kept).status_code == 200
    return made


def finish(bench: Any, who: str) -> None:
    """Say that a reviewer has finished the study."""
    assert bench.decide(who, STUDY, "study", "finished").status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_of_the_other_is_sent(dual: Any, address: str) -> None:
    for text in (dual.client("Ben").get(address).text, dual.client("Cleo").get(address).text):
        assert VALUE not in text
        assert "SECRET" not in text
        assert "Ada" not in text


def test_the_own_word_is_shown(dual: Any) -> None:
    page = dual.client("Ada").get(f"/study/{STUDY}").text
    assert VALUE in page
    assert "SECRET WORD" in page


def test_an_answer_to_a_write_tells_nothing_either(dual: Any) -> None:
    """The version counts the own events alone: it would tell that somebody was there."""
    answer = dual.decide("Ben", STUDY, "n_total", "corrected", value="7", version=0)
    assert answer.status_code == 200
    assert VALUE not in answer.text
    assert "Ada" not in answer.text


def test_one_who_finished_alone_sees_nothing_of_the_other(dual: Any) -> None:
    finish(dual, "Ada")
    dual.decide("Ben", STUDY, "n_total", "accepted")
    for who, other in (("Ada", "Ben"), ("Ben", "Ada")):
        assert other not in dual.client(who).get(f"/study/{STUDY}").text


@pytest.fixture
def both(dual: Any) -> Any:
    """Both have finished, and differ on one of three fields."""
    dual.decide("Ben", STUDY, "n_total", "corrected", value="7")
    dual.decide("Ben", STUDY, "condition", "rejected")
    for who in ("Ada", "Ben"):
        dual.decide(who, STUDY, "design", "accepted")
        finish(dual, who)
    return dual


def test_when_both_have_finished_the_conflict_shows(both: Any) -> None:
    page = both.client("Cleo").get(f"/conflict/{STUDY}").text
    assert VALUE in page
    assert page.count('class="conflict"') == 1
    assert "Evil &lt;b&gt; 2024" in both.client("Ben").get("/conflicts").text
    assert "Evil" not in both.client("Ben").get(f"/conflict/{OTHER}").text


def settle(bench: Any, who: str, **more: Any) -> Any:
    """An adjudication of the number."""
    version = bench.desk.version(who, STUDY, "n_total")
    body = {"record_id": STUDY, "field": "n_total", "version": version, **more}
    return bench.client(who).post("/api/adjudicate", json=body)


def test_only_a_third_person_settles_it(both: Any) -> None:
    assert settle(both, "Ada", value="7").status_code == 422
    assert settle(both, "Cleo", value="seven").status_code == 422
    assert settle(both, "Cleo", value="7", reason="table 1").status_code == 200
    study = both.desk.holdings.studies[STUDY]
    counted = effective(study, both.desk.store.events(STUDY), "dual")
    assert counted.n_total.value == 7
    assert counted.n_total.reviewed == "adjudicated"
    assert counted.design.reviewed == "agreed"
    assert (
        "No field of this study is in conflict"
        in both.client("Cleo").get(f"/conflict/{STUDY}").text
    )


def test_a_conflict_may_be_settled_on_no_value(both: Any) -> None:
    assert settle(both, "Cleo", value="").status_code == 422
    assert settle(both, "Cleo", none=True).status_code == 200
    study = both.desk.holdings.studies[STUDY]
    assert effective(study, both.desk.store.events(STUDY), "dual").n_total is None


def test_agreement_is_of_the_words_before_adjudication(both: Any) -> None:
    settle(both, "Cleo", value="7")
    page = both.client("Cleo").get("/").text
    row = page.partition('<th scope="row">n total</th>')[2].partition("</tr>")[0]
    assert '<td class="num">1</td><td class="num">0%</td>' in row
    row = page.partition('<th scope="row">design</th>')[2].partition("</tr>")[0]
    assert '<td class="num">1</td><td class="num">100%</td>' in row


def test_two_who_screen_otherwise_are_settled_by_a_third(bench: Any) -> None:
    made = bench("dual")
    for who, verdict in (("Ada", "included"), ("Ben", "excluded")):
        body = {"record_id": STUDY, "version": 0, "verdict": verdict, "reason": "a reason"}
        assert made.client(who).post("/api/screen", json=body).status_code == 200
    events = made.desk.events("Cleo", STUDY)
    assert made.desk.screened(STUDY, events).include, "the rule's word stays in a conflict"
    assert "Screening" in made.client("Cleo").get(f"/conflict/{STUDY}").text
    body = {"record_id": STUDY, "field": "screening", "version": 2, "value": "excluded"}
    assert made.client("Ada").post("/api/adjudicate", json=body).status_code == 422
    wrong = made.client("Cleo").post("/api/adjudicate", json={**body, "value": "perhaps"})
    assert wrong.status_code == 422
    assert made.client("Cleo").post("/api/adjudicate", json=body).status_code == 200
    assert not made.desk.screened(STUDY, made.desk.events("Cleo", STUDY)).include


# Without suggestions


def shown(bench: Any, who: str) -> tuple[int, int]:
    """How many readings and marks a reviewer's page of the study holds."""
    page = bench.client(who).get(f"/study/{STUDY}").text
    return page.count('data-state="suggested"'), page.count("<mark")


def test_nobody_sees_readings_where_the_protocol_shows_none(bench: Any) -> None:
    """What is typed and is what the extractor reads counts as accepted, and is then shown."""
    made = bench("dual", show_suggestions="none")
    assert shown(made, "Ada") == (0, 0)
    page = made.client("Ada").get(f"/study/{STUDY}").text
    assert "Immunoglobulin</span>" not in page
    assert "ln[x" not in page
    assert made.decide("Ada", STUDY, "n_total", "accepted").status_code == 422
    answer = made.decide("Ada", STUDY, "n_total", "corrected", value="40")
    assert 'data-state="accepted"' in "".join(answer.json()["parts"].values())
    other = made.decide("Ada", STUDY, "condition", "corrected", value="POTS")
    assert "CIDP." not in "".join(other.json()["parts"].values())
    for who in ("Ada", "Ben"):
        finish(made, who)
    assert shown(made, "Ada")[1] > 0


def test_only_the_first_to_begin_sees_readings_where_the_protocol_says_so(bench: Any) -> None:
    made = bench("dual", show_suggestions="first")
    assert shown(made, "Ben")[0] > 0
    made.decide("Ada", STUDY, "n_total", "accepted")
    assert shown(made, "Ada")[0] > 0
    assert shown(made, "Ben") == (0, 0)


def test_outside_of_dual_everybody_sees_the_readings(bench: Any) -> None:
    assert shown(bench("verify", show_suggestions="none"), "Ada")[0] > 0
