"""Arms of trials of any treatment: their names, roles, sizes, and every place that names them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipeline.extract.arm_names import is_name
from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.reader import Reader
from pipeline.schema import Record, Section
from tests.extract.conftest import Read

TRIAL = "A randomised trial in knee osteoarthritis"
RESULT = " Pain improved in both groups."

Arm = tuple[str, str, int | None]


def found(reader: Reader, abstract: str, title: str = TRIAL) -> tuple[ArmSpan, ...]:
    """The arms with their mentions."""
    record = Record("test", title, (Section(abstract),))
    doc = reader.nlp.make_doc(record.text)
    doc._.record = record
    for _, component in reader.nlp.pipeline:
        doc = component(doc)
    arms: tuple[ArmSpan, ...] = doc._.arms
    return arms


def names(reader: Reader, abstract: str, title: str = TRIAL) -> dict[str, set[str]]:
    """What is said to name the arm of each role, in lower case."""
    text = Record("test", title, (Section(abstract),)).text
    return {
        a.role: {text[s:e].lower() for s, e in a.mentions} for a in found(reader, abstract, title)
    }


def arms(read: Read, abstract: str, title: str = TRIAL, **more: Any) -> list[Arm]:
    """Label, role and size of each arm, the tried ones first."""
    listed = read(abstract, title, **more).arms
    shown = [(a.label, a.role, a.n.value if a.n else None) for a in listed]
    return sorted(shown, key=lambda a: a[1] == "comparator")


@pytest.mark.parametrize(
    "abstract",
    [
        "Patients were randomised to diclofenac or placebo.",
        "Patients were randomly assigned to receive either diclofenac 50 mg daily or placebo.",
        "Patients were randomly allocated (1:1) to diclofenac for 12 weeks or matching placebo.",
        "Patients were randomly divided into two groups: diclofenac and placebo.",
        "This study compared diclofenac with placebo. Patients were randomised.",
        "The effects of diclofenac and placebo were compared. Diclofenac-treated patients did "
        "better than the placebo group.",
        "Twenty women received diclofenac and 21 women received placebo.",
        "Patients took a capsule (diclofenac or placebo) for six weeks.",
    ],
)
def test_the_arms_however_they_are_listed(read: Read, abstract: str) -> None:
    shown = [(label, role) for label, role, _ in arms(read, abstract + RESULT)]
    assert shown == [("diclofenac", "intervention"), ("placebo", "comparator")]


@pytest.mark.parametrize(
    ("title", "tried", "compared"),
    [
        ("Ketorolac versus tramadol after hernia repair: a randomised trial", "Ketorolac", "tram"),
        ("Comparison of ketorolac and tramadol after hernia repair: a randomised trial", "k", "t"),
        ("Randomised trial of ketorolac compared with tramadol in hernia repair", "keto", "tram"),
        ("[Randomised trial of ketorolac versus tramadol in hernia repair].", "keto", "tram"),
    ],
)
def test_the_title_names_the_arms_in_order(
    read: Read, title: str, tried: str, compared: str
) -> None:
    found_arms = arms(read, "Pain was less with ketorolac than with tramadol.", title)
    first, second = (label.lower() for label, _, _ in found_arms)
    assert first.startswith(tried.lower())
    assert second.startswith(compared.lower())


@pytest.mark.parametrize(
    ("abstract", "compared"),
    [
        ("Patients were randomised to usual care or a walking programme.", "usual care"),
        ("Patients were randomised to letrozole plus everolimus or letrozole alone.", "letrozole"),
        ("Patients were randomised to letrozole or letrozole plus everolimus.", "letrozole"),
        ("Patients were randomised to a control group or an exercise group.", "control"),
        ("Patients were randomised to no mesh or mesh.", "no mesh"),
        ("Patients were randomised to standard dressing or honey dressing.", "standard dressing"),
    ],
)
def test_which_arm_is_compared_with(read: Read, abstract: str, compared: str) -> None:
    label = next(label for label, role, _ in arms(read, abstract) if role == "comparator")
    assert label.startswith(compared)


@pytest.mark.parametrize(
    ("abstract", "tried", "compared"),
    [
        ("Patients were randomised to exercise or no treatment.", "exercise", "no treatment"),
        ("Patients were randomised to exercise or treatment as usual.", "exercise",
         "treatment as usual"),
        ("Patients were randomised to exercise or routine follow-up.", "exercise",
         "routine follow-up"),
        ("Diclofenac in combination with tramadol versus tramadol alone was tried.",
         "Diclofenac in combination with tramadol", "tramadol alone"),
        ("Patients were randomised to diclofenac 60 mg/m(2) plus tramadol or tramadol alone.",
         "diclofenac 60 mg/m(2) plus tramadol", "tramadol alone"),
    ],
)  # fmt: skip
def test_names_of_more_than_a_drug(read: Read, abstract: str, tried: str, compared: str) -> None:
    assert [a[:2] for a in arms(read, abstract + RESULT)] == [
        (tried, "intervention"),
        (compared, "comparator"),
    ]


def test_drugs_that_a_hyphen_joins_are_known_apart(reader: Reader) -> None:
    text = (
        "Patients were randomised to diclofenac-omeprazole or to celecoxib-omeprazole. Diclofenac "
        "plus omeprazole did better than celecoxib plus omeprazole."
    )
    title = "Diclofenac plus omeprazole versus celecoxib plus omeprazole: a randomised trial"
    found_names = names(reader, text, title)
    assert "diclofenac-omeprazole" in found_names["intervention"]
    assert "celecoxib-omeprazole" in found_names["comparator"]


def test_what_all_arms_had_names_none(reader: Reader) -> None:
    text = (
        "Patients were randomised to diclofenac or placebo plus tramadol. Tramadol was well "
        "tolerated. Pain fell with diclofenac."
    )
    assert "tramadol" not in names(reader, text)["comparator"]


def test_an_abbreviation_behind_a_dose(reader: Reader) -> None:
    text = "Patients were randomised to diclofenac (50 mg daily) (DG) or placebo (PG). DG did well."
    assert "dg" in names(reader, text)["intervention"]


def test_three_arms(read: Read) -> None:
    abstract = "Women were randomised to yoga (n = 30), stretching (n = 31) or waitlist (n = 29)."
    assert arms(read, abstract) == [
        ("yoga", "intervention", 30),
        ("stretching", "intervention", 31),
        ("waitlist", "comparator", 29),
    ]


@pytest.mark.parametrize(
    "abstract",
    [
        "Patients were randomised to diclofenac (n = 40) or placebo (n = 38).",
        "Patients were randomised to diclofenac (50 mg daily; n = 40) or placebo (n = 38).",
        "Patients were randomised to diclofenac 50 mg daily (n = 40) or placebo (n=38).",
        "Patients were randomised to diclofenac (40 patients) or placebo (38 patients).",
        "In all, 78 patients were randomised (40 diclofenac, 38 placebo).",
        "We randomised 78 patients: 40 to diclofenac and 38 to placebo.",
        "We randomised 78 patients to diclofenac or placebo (diclofenac 40, placebo 38).",
        "Forty patients were assigned to diclofenac and thirty-eight to placebo.",
        "We randomised 78 patients to diclofenac or placebo. Pain fell in 20 of 40 on diclofenac "
        "and 9 of 38 on placebo.",
    ],
)
def test_the_sizes_of_the_arms(read: Read, abstract: str) -> None:
    sizes = {role: n for _, role, n in arms(read, abstract + RESULT)}
    assert sizes == {"intervention": 40, "comparator": 38}


@pytest.mark.parametrize(
    "abstract",
    [
        "Patients were randomised to diclofenac or placebo. Twenty and 22 patients were "
        "assigned to diclofenac and placebo, respectively.",
        "Of 46 patients, 42 completed (n = 20 and n = 22 for the diclofenac group and placebo "
        "group, respectively). They had been randomised to diclofenac or placebo.",
        "We randomised 42 patients to diclofenac or placebo (n = 20, diclofenac; n = 22, placebo).",
        "Of 50 patients randomised to diclofenac or placebo, 42 (20 diclofenac and 22 placebo) "
        "were seen again.",
        "Patients were randomised to diclofenac or placebo. A total of 20 patients were assigned "
        "to diclofenac and 22 to placebo.",
        "Patients were randomised to diclofenac or placebo. Pain fell in 9 of 20 patients "
        "on diclofenac and 4 of 22 patients on placebo.",
        "Forty-two patients were randomised to diclofenac or placebo: 20 had the tablets of "
        "diclofenac and 22 were controls.",
    ],
)
def test_the_sizes_of_two_arms_together(read: Read, abstract: str) -> None:
    sizes = {role: n for _, role, n in arms(read, abstract + RESULT)}
    assert sizes == {"intervention": 20, "comparator": 22}


def test_what_is_left_of_all_is_the_other_arms(read: Read) -> None:
    text = "We randomised 42 patients to diclofenac or usual care: 20 diclofenac and 22 the latter."
    assert [n for _, _, n in arms(read, text + RESULT)] == [20, 22]


def test_events_that_a_sentence_sums_up_are_no_sizes(read: Read) -> None:
    text = (
        "We randomised 420 patients to diclofenac or placebo. There were 42 falls, 20 with "
        "diclofenac and 22 with placebo."
    )
    assert [n for _, _, n in arms(read, text + RESULT)] == [None, None]


def test_a_size_said_of_each_arm(read: Read) -> None:
    abstract = "Sixty patients were randomised to honey dressing or gauze dressing (n = 30 each)."
    assert [n for _, _, n in arms(read, abstract)] == [30, 30]


@pytest.mark.parametrize(
    "abstract",
    [
        "We randomised 78 patients to diclofenac or placebo.",
        "We randomised 78 patients to diclofenac or placebo. Nausea was seen in 5 patients on "
        "diclofenac and 2 patients on placebo.",
    ],
)
def test_a_number_of_events_is_no_size(read: Read, abstract: str) -> None:
    assert [n for _, _, n in arms(read, abstract)] == [None, None]


def test_groups_called_by_letters_are_known_by_them(reader: Reader) -> None:
    abstract = (
        "Patients were randomised to group A (warm saline, n = 20) or group B (cold saline, "
        "n = 21). Shivering was seen in 3 patients of group A and 9 of group B."
    )
    both = found(reader, abstract)
    assert [a.n.n for a in both if a.n] == [20, 21]
    tried, compared = names(reader, abstract).values()
    assert {"group a"} <= tried | compared
    assert not tried & compared


@pytest.mark.parametrize(
    ("abstract", "role", "expected"),
    [
        (
            "Patients were randomised to diclofenac (DIC) or placebo (PBO). Pain was 3 with DIC "
            "and 5 with PBO.",
            "intervention",
            {"diclofenac", "dic"},
        ),
        (
            "Cognitive behavioural therapy (CBT) is common. Patients were randomised to CBT or "
            "usual care. Cognitive behavioural therapy helped.",
            "intervention",
            {"cbt", "cognitive behavioural therapy"},
        ),
        (
            "Patients were randomised to a walking programme or usual care. Pain was 3 in the "
            "intervention group and 5 in the control group.",
            "comparator",
            {"usual care", "control"},
        ),
        (
            "Patients were randomised to a walking programme or usual care. Pain was 3 in the "
            "intervention group and 5 in the control group.",
            "intervention",
            {"walking programme", "intervention"},
        ),
    ],
)
def test_an_arm_is_found_under_all_its_names(
    reader: Reader, abstract: str, role: str, expected: set[str]
) -> None:
    assert expected <= names(reader, abstract)[role]


@pytest.mark.parametrize(
    "sentence",
    [
        "Glycaemic control improved after six months.",
        "Symptom control, not survival, was the aim.",
        "Patients without diclofenac had more pain.",
    ],
)
def test_other_uses_of_a_word_name_no_arm(reader: Reader, sentence: str) -> None:
    abstract = "Patients were randomised to diclofenac or tramadol. " + sentence
    text = Record("test", TRIAL, (Section(abstract),)).text
    start = text.index(sentence)
    spans = [s for a in found(reader, abstract) for s in a.mentions]
    assert not [s for s in spans if s[0] >= start]


@pytest.mark.parametrize(
    "abstract",
    [
        "We compared the efficacy and safety of two regimens in a randomised trial.",
        "In this randomised trial, the risk of relapse and death was lower than expected.",
        "Patients of the randomised trial were premenopausal or postmenopausal.",
        "A randomised trial was done in hospitals in Germany, Austria and France.",
    ],
)
def test_outcomes_people_and_places_are_no_arms(read: Read, abstract: str) -> None:
    assert arms(read, abstract) == []


def test_a_case_control_study_has_no_arm_of_controls(read: Read) -> None:
    title = "Statins and falls: a case-control study"
    assert arms(read, "Cases with falls were compared with controls.", title) == []


@pytest.mark.parametrize(
    ("phrase", "named"),
    [
        ("epirubicin plus tamoxifen", True),
        ("usual care", True),
        ("quality of life", False),
        ("adverse events", False),
        ("breast cancer", False),
        ("osteoarthritis", False),
        ("two groups", False),
        ("12", False),
        ("", False),
    ],
)
def test_what_may_name_an_arm(phrase: str, named: bool) -> None:
    assert is_name(phrase) is named


@pytest.mark.parametrize(
    "unit",
    [
        "randomised to x or y ",
        "assigned to ",
        "assigned to receive a, b, c or ",
        "compared with ",
        "with or without x ",
        "group A (x, n = 5) ",
        "the x group ",
        "X (ABC) ",
        "5 received x and ",
        "placebo or ",
        "50 mg daily for 3 weeks ",
        "versus ",
        "efficacy of x and ",
        "control ",
        "(n = 5, ",
        "5 tall, thin ",
        "5 and 6 patients were assigned to x and y ",
        "randomised to x or y, 5 x and 6 y ",
        "x in combination with ",
        "no further treatment or ",
        "1,234,",
    ],
)
def test_a_hostile_text_takes_no_second(reader: Reader, unit: str) -> None:
    start = time.process_time()
    found(reader, (unit * 10_000)[:10_000])
    assert time.process_time() - start < 3.0  # a second where nothing else runs


def test_the_intervention_beside_a_treatment_of_no_list(read: Read) -> None:
    text = (
        "We randomised 42 patients to IVIg or a balance programme. Twenty received IVIg and 22 "
        "received the balance programme."
    )
    title = "Balance training in CIDP: a randomised controlled trial"
    assert arms(read, text, title) == [
        ("IVIg", "intervention", 20),
        ("balance programme", "comparator", 22),
    ]
