"""Numeric expressions: what each is, its numbers, and the phrase it stands in."""

from __future__ import annotations

import pytest

from pipeline.extract.quantities import Quantity, scan
from tests.extract.conftest import Read

TITLE = "Open-label study of IVIg in small fibre neuropathy"


def only(text: str, kind: str) -> Quantity:
    """The one quantity of a kind in a text."""
    found = [q for q in scan(text) if q.kind == kind]
    assert len(found) == 1, [(q.kind, text[q.start : q.end]) for q in scan(text)]
    return found[0]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("(p = 0.05)", "0.05"),
        ("(P=0.05)", "0.05"),
        ("(p < 0.001)", "<0.001"),
        ("(P<.001)", "<0.001"),
        ("(p ⩽ 0.001)", "<=0.001"),
        ("(p ≤ 0.001)", "<=0.001"),
        ("(p ≥ 0.2)", ">=0.2"),
        ("(p > 0.05)", ">0.05"),
        ("p value = 0.43 in this", "0.43"),
        ("p-value was < 0.01 here", "<0.01"),
        ("(p=0·0002)", "0.0002"),
        ("(P < .0 0 8)", "<0.008"),
        ("(P = 0. 001)", "0.001"),
        ("with p = 0.021.", "0.021"),
        ("(p = 1)", "1"),
    ],
)
def test_p_values_are_kept_as_printed(text: str, label: str) -> None:
    q = only(text, "p_value")
    assert q.label == label
    assert q.value == float(label.lstrip("<>="))


@pytest.mark.parametrize("text", ["Group = 0.5", "pH = 7.4", "step = 0.5"])
def test_what_only_ends_in_p_is_no_p_value(text: str) -> None:
    assert [q for q in scan(text) if q.kind == "p_value"] == []


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("(95% CI 15.4-51.7)", 15.4, 51.7),
        ("(95% CI 15·4–51·7; p=0·0002)", 15.4, 51.7),  # en dash, middle dots
        ("(95% CI 1.74 to 5.75)", 1.74, 5.75),
        ("[95% CI: 1.74, 5.75]", 1.74, 5.75),
        ("95% CI [0.2; 0.9]", 0.2, 0.9),
        ("95% confidence interval 0.53 to 4.53", 0.53, 4.53),
        ("95% confidence interval (CI) 0.53-4.53", 0.53, 4.53),
        ("(CI 95% 0.53 to 4.53)", 0.53, 4.53),
        ("95% CI from 1.29 to 1.82", 1.29, 1.82),
        ("(95% CI -3.2 to -0.4)", -3.2, -0.4),
        ("(95% CI −3.2 to 0.4)", -3.2, 0.4),  # minus sign
        ("(95% CI –3.2 to 0.4)", -3.2, 0.4),  # en dash as minus
        ("(95% CI −3.2–−0.4)", -3.2, -0.4),
        ("(95% CI -0.5, 1.5)", -0.5, 1.5),
        ("(90% CI 2% to 18%)", 2, 18),
        ("(99% CI 2.5–18)", 2.5, 18),
        ("confidence limits 0.2 and 0.9", 0.2, 0.9),
    ],
)
def test_confidence_intervals_in_every_notation(text: str, low: float, high: float) -> None:
    q = only(text, "ci")
    assert (q.value, q.high) == (low, high)


def test_an_interval_that_runs_backwards_is_none() -> None:
    assert [q for q in scan("(95% CI 5.0 to 1.2)") if q.kind == "ci"] == []


@pytest.mark.parametrize(
    ("text", "events", "n"),
    [
        ("32 of 59 patients", 32, 59),
        ("32 of the 59 patients", 32, 59),
        ("32 out of 59 patients", 32, 59),
        ("32/59 patients", 32, 59),
        ("32 / 59", 32, 59),
        ("seven of the nine patients", 7, 9),
        ("Seven of nine improved", 7, 9),
        ("nine of 19", 9, 19),
        ("9 (47%) of the 19 patients", 9, 19),
        ("9 patients (47%) of 19", 9, 19),
        ("none of the 12 patients", 0, 12),
        ("all five patients", 5, 5),
        ("all of the 12 patients", 12, 12),
        ("1,024 of 2,048 patients", 1024, 2048),
    ],
)
def test_fractions(text: str, events: int, n: int) -> None:
    found = [q for q in scan(text) if q.kind == "fraction"]
    assert [(q.value, q.high) for q in found] == [(events, n)]


def test_both_is_two_of_a_number_that_is_not_said() -> None:
    assert [(q.kind, q.value) for q in scan("both cases")] == [("number", 2)]


def test_the_percentage_inside_a_fraction_is_kept_with_its_place() -> None:
    text = "9 (47%) of the 19 patients"
    percent = only(text, "fraction").percent
    assert percent is not None
    assert (percent[0], text[percent[1] : percent[2]]) == (47, "47")


@pytest.mark.parametrize("text", ["12 of 9 patients", "5/0", "5 of 12 weeks", "5/kg"])
def test_what_is_no_part_of_a_whole_is_no_fraction(text: str) -> None:
    assert [q for q in scan(text) if q.kind == "fraction"] == []


@pytest.mark.parametrize(
    ("text", "kind", "value", "spread", "label"),
    [
        ("4.8 ± 2.0", "mean_spread", 4.8, 2.0, ""),
        ("6.7+/-3.3", "mean_spread", 6.7, 3.3, ""),
        ("6.7 +/− 3.3", "mean_spread", 6.7, 3.3, ""),
        ("−1.2 ± 0.4", "mean_spread", -1.2, 0.4, ""),
        ("4.8 ± 2.0 SD", "mean_spread", 4.8, 2.0, "SD"),
        ("4.8 ± 2.0 (SEM)", "mean_spread", 4.8, 2.0, "SE"),
        ("(SD 1.3)", "spread", None, 1.3, "SD"),
        ("(SD = 1·3)", "spread", None, 1.3, "SD"),
        ("(S.D. 1.3)", "spread", None, 1.3, "SD"),
        ("[standard deviation 1.3]", "spread", None, 1.3, "SD"),
        ("(SE 0.4)", "spread", None, 0.4, "SE"),
        ("(SEM 0.4)", "spread", None, 0.4, "SE"),
        ("(standard error of the mean 0.4)", "spread", None, 0.4, "SE"),
        ("[IQR 3-9]", "interval", 3, 9, "IQR"),
        ("(IQR, 3 to 9)", "interval", 3, 9, "IQR"),
        ("(interquartile range 3–9)", "interval", 3, 9, "IQR"),
        ("(range 2-14)", "interval", 2, 14, "range"),
        ("(range: 2 to 14)", "interval", 2, 14, "range"),
        ("[3-9]", "interval", 3, 9, ""),
        ("(min 11–max 94)", "interval", 11, 94, "range"),
    ],
)
def test_spreads_and_their_labels(
    text: str, kind: str, value: float | None, spread: float, label: str
) -> None:
    q = only(text, kind)
    assert (q.value, q.high, q.label) == (value, spread, label)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("at week 24", 24, "week"),
        ("at 24 weeks", 24, "weeks"),
        ("at 1-month", 1, "month"),
        ("after twelve weeks", 12, "weeks"),
        ("by day 8", 8, "day"),
        ("after 2 years", 2, "years"),
    ],
)
def test_times(text: str, value: float, unit: str) -> None:
    q = only(text, "timepoint")
    assert (q.value, q.label.rstrip("s")) == (value, unit.rstrip("s"))


@pytest.mark.parametrize(("text", "ends"), [("days 2-14", (2, 14)), ("2 to 6 months", (2, 6))])
def test_a_time_may_be_a_range(text: str, ends: tuple[float, float]) -> None:
    q = only(text, "timepoint")
    assert (q.value, q.high) == ends


@pytest.mark.parametrize(
    ("text", "number"),
    [("-73.4%", -73.4), ("−73.4 %", -73.4), ("5 per cent", 5), ("33·5%", 33.5), ("12 percent", 12)],
)
def test_percentages(text: str, number: float) -> None:
    assert only(text, "percent").value == number


def test_an_n() -> None:
    assert only("placebo (n = 1,204)", "n").value == 1204


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NCT00220740", "NCT00220740"),
        ("ISRCTN12345678", "ISRCTN12345678"),
        ("EudraCT 2015-005443-14", "2015-005443-14"),
    ],
)
def test_a_registration_is_no_number(read: Read, text: str, name: str) -> None:
    study = read(f"Pain was scored. Registered as {text}.", TITLE)
    assert [r.value for r in study.registry_ids if name in r.value] != []
    assert study.outcomes == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "Patients who improved were 45 years old.",
        "Responders had a mean age of 52 years.",
        "Median age of responders was 61 (range 40-77) years.",
        "Improvement was sought from January 2004 to May 2009.",
        "Responders were seen in 2014.",
        "Responders were recruited from 03/2014 to 12/2019.",
        "The ratio of responders to others was 2 : 1.",
        "Improvement meant a fall of ≥ 30% in pain.",
        "A responder had pain relief of at least 50%.",
        "Improvement was a gain of 1 point or more on the INCAT scale.",
        "Pain improved on 10% IVIg.",
        "Pain improved with 5% lidocaine cream.",
        "Improvement gave class III evidence.",
        "Improvement was judged on a 7-point scale.",
        "Improvement was scored 0-10.",
    ],
)
def test_no_result_is_read_from_ages_dates_ratios_thresholds_and_concentrations(
    read: Read, sentence: str
) -> None:
    study = read(f"Twenty patients were treated with IVIg. {sentence}", TITLE)
    assert [o.quote.text for o in study.outcomes if o.quote] == []
