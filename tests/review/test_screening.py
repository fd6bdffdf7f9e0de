"""People's words on eligibility over the rules'."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.review import Writer, comment, screen_by_hand, screened, screening_state, undo
from pipeline.schema import Event, Screening
from tests.review.samples import RECORD, at

IN = Screening("pmid1", True, "eligible", "primary study", at("randomised"))
OUT = Screening("pmid1", False, "population", "not the protocol's population", at("neuropathy"))


def says(*words: tuple[str, str], code: str = "", reason: str = "") -> list[Event]:
    """Events of (who, verdict)."""
    return [
        Event(
            f"e{i}",
            screen_by_hand(
                verdict,
                Writer(who, f"2026-11-23T10:00:{i:02d}Z"),
                RECORD,
                code=code if verdict != "included" else "",
                reason=reason,
            ),
            i + 1,
        )
        for i, (who, verdict) in enumerate(words)
    ]


def test_without_a_word_the_rule_holds() -> None:
    assert screened(OUT, []) is OUT


def test_an_inclusion_says_who_and_what_the_rule_had_said() -> None:
    found = screened(OUT, says(("Li", "included"), reason="mixed population"))
    assert (found.include, found.code, found.quote) == (True, "eligible", None)
    assert found.reason == (
        "included by Li: mixed population (by rule: not the protocol's population)"
    )


def test_an_exclusion_has_the_code_that_the_person_named() -> None:
    assert screened(IN, says(("Li", "excluded"), code="language")).code == "language"
    assert screened(IN, says(("Li", "excluded"))).code == "reviewer"
    assert screened(OUT, says(("Li", "excluded"))).code == "population"
    assert screened(OUT, says(("Li", "excluded"))).quote == OUT.quote


def test_unsure_decides_nothing_and_is_a_state() -> None:
    said = says(("Li", "unsure"))
    assert screened(OUT, said) is OUT
    assert screening_state(OUT, said, "verify").state == "unsure"
    later = replace(says(("Li", "included"))[0], event_id="late", turn=9)
    assert screened(OUT, [*said, later]).include


@pytest.mark.parametrize("mode", ["verify", "dual"])
def test_in_a_conflict_the_rule_holds_until_a_third_person_settles_it(mode: str) -> None:
    said = says(("Li", "included"), ("Ng", "excluded"))
    assert screened(OUT, said, mode) is OUT
    assert screening_state(OUT, said, mode).state == "conflict"
    judged = Event(
        "j",
        screen_by_hand(
            "adjudicated", Writer("Oz", "2026-11-24T10:00:00Z"), RECORD, code="included"
        ),
        9,
    )
    assert screened(OUT, [*said, judged], mode).include
    assert screened(OUT, [*said, judged], mode).reason.startswith("included by Oz, who settled")


def test_in_dual_mode_one_word_is_not_enough() -> None:
    said = says(("Li", "included"))
    assert screened(OUT, said, "dual") is OUT
    assert screened(OUT, says(("Li", "included"), ("Ng", "included")), "dual").include


def test_an_undone_word_counts_no_more() -> None:
    (said,) = says(("Li", "included"))
    back = Event("u", undo(said, Writer("Li", "2026-11-24T10:00:00Z")), 2)
    assert screened(OUT, [said, back]) is OUT


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("accepted", ""), ("adjudicated", ""), ("excluded", "a b"), ("excluded", "x" * 41)],
)
def test_a_wrong_word_is_refused(verdict: str, code: str) -> None:
    with pytest.raises(InputError):
        screen_by_hand(verdict, Writer("Li", "2026-11-23T10:00:00Z"), RECORD, code=code)


@pytest.mark.parametrize("who", ["", " ", "Li\n", "x" * 201])
def test_a_reviewer_has_a_name_of_one_line(who: str) -> None:
    with pytest.raises(InputError, match="Invalid reviewer"):
        Writer(who, "2026-11-23T10:00:00Z")


def test_a_comment_decides_nothing() -> None:
    writer = Writer("Li", "2026-11-23T10:00:00Z")
    said = Event("c", comment(RECORD, "screening", "ask the authors", writer))
    assert screened(OUT, [said]) is OUT
    with pytest.raises(InputError):
        comment(RECORD, "no field", "text", writer)
    with pytest.raises(InputError):
        comment(RECORD, "n_total", " ", writer)
