"""Arms: who was treated with what, in which role, and how many they were."""

from __future__ import annotations

import pytest

from tests.extract.conftest import Read

TRIAL = "IVIg in CIDP: a randomised trial"
PLACEBO = "IVIg in CIDP: a randomised placebo-controlled trial"

Arm = tuple[str, str, int | None]


def arms(read: Read, abstract: str, title: str = PLACEBO) -> list[Arm]:
    """Label, role and size of each arm."""
    found = read(abstract, title).arms
    return [(a.label, a.role, a.n.value if a.n else None) for a in found]


def sizes(read: Read, abstract: str, title: str = PLACEBO) -> dict[str, int | None]:
    """The size of the arm in each role."""
    return {role: size for _, role, size in arms(read, abstract, title)}


@pytest.mark.parametrize(
    "abstract",
    [
        "We randomised 117 patients with CIDP to IVIg (n = 59) or placebo (n = 58).",
        "We randomised 117 patients: 59 patients on IVIg and 58 patients on placebo.",
        "We randomised 117 patients: 59 received IVIg and 58 received placebo.",
        "We randomised 117 patients. Fifty-nine patients were assigned to IVIg and "
        "fifty-eight patients to placebo.",
        "We randomised 117 patients to IVIg or placebo. Relapse was seen in 12 of 59 patients "
        "on IVIg and 30 of 58 patients on placebo.",
        "We randomised 117 patients to placebo (n = 58) or IVIg (n = 59).",
    ],
)
def test_the_sizes_of_two_arms(read: Read, abstract: str) -> None:
    assert sizes(read, abstract) == {"intervention": 59, "comparator": 58}


def test_a_placebo_is_the_comparator_and_the_labels_are_the_texts(read: Read) -> None:
    abstract = "We randomised 117 patients with CIDP to placebo (n = 58) or IVIg (n = 59)."
    assert arms(read, abstract) == [("IVIg", "intervention", 59), ("placebo", "comparator", 58)]


def test_without_a_size_in_the_text_an_arm_of_a_trial_has_none(read: Read) -> None:
    abstract = "We randomised 60 patients with CIDP to IVIg or placebo."
    assert sizes(read, abstract) == {"intervention": None, "comparator": None}


@pytest.mark.parametrize(
    ("abstract", "other"),
    [
        ("We randomised 46 patients to IVIg (n = 24) or prednisolone (n = 22).", "prednisolone"),
        ("We randomised 46 patients to IVIg (n = 24) or plasma exchange (n = 22).", "plasma"),
        ("We randomised 46 patients to methylprednisolone (n = 22) or IVIg (n = 24).", "methyl"),
    ],
)
def test_an_active_comparator(read: Read, abstract: str, other: str) -> None:
    found = {role: (label, size) for label, role, size in arms(read, abstract, TRIAL)}
    assert found["intervention"] == ("IVIg", 24)
    assert found["comparator"][0].startswith(other)
    assert found["comparator"][1] == 22


def test_each_patient_of_a_crossover_is_in_both_arms(read: Read) -> None:
    abstract = "In a crossover trial 16 patients received both IVIg and placebo."
    assert sizes(read, abstract) == {"intervention": 16, "comparator": 16}


def test_withdrawal_reverses_the_roles(read: Read) -> None:
    title = "Withdrawal of intravenous immunoglobulin in CIDP: a randomised trial"
    abstract = "We randomised 60 patients on IVIg to withdrawal (n = 29) or continuation (n = 31). "
    found = arms(read, abstract, title)
    assert found == [("withdrawal", "intervention", 29), ("continuation", "comparator", 31)]


def test_doses_compared_are_arms(read: Read) -> None:
    title = "Three doses of IVIg in CIDP: a randomised double-blind trial"
    abstract = (
        "We randomised 142 patients. Relapse was seen in 12 of 35 in the 0.5 g/kg group, "
        "9 of 69 in the 1.0 g/kg group and 6 of 38 in the 2.0 g/kg group."
    )
    assert [label for label, _, _ in arms(read, abstract, title)] == [
        "0.5 g/kg",
        "1.0 g/kg",
        "2.0 g/kg",
    ]


def test_routes_compared_are_arms_and_the_new_one_is_tried(read: Read) -> None:
    title = "SCIg versus IVIg in CIDP: a randomised trial"
    abstract = "We randomised 20 patients to SCIg or IVIg."
    assert [(label, role) for label, role, _ in arms(read, abstract, title)] == [
        ("SCIg", "intervention"),
        ("IVIg", "comparator"),
    ]


def test_brands_compared_are_arms(read: Read) -> None:
    title = "Kiovig versus Gammagard in multifocal motor neuropathy: a randomised trial"
    abstract = "We randomised 27 patients to Kiovig or Gammagard S/D."
    found = arms(read, abstract, title)
    assert {label.split()[0] for label, _, _ in found} == {"Kiovig", "Gammagard"}
    assert {role for _, role, _ in found} == {"intervention", "comparator"}


def test_an_arm_with_both_treatments_is_an_arm_of_its_own(read: Read) -> None:
    title = "Plasma exchange, IVIg, or both in Guillain-Barré syndrome: a randomised trial"
    abstract = (
        "We randomised 379 patients. The grade improved by 0.9 (SD 1.3) in the 121 patients on "
        "PE, 0.8 (1.3) in the 130 patients on IVIg and 1.1 (1.4) in the 128 given both."
    )
    found = read(abstract, title).arms
    assert len(found) == 3
    assert [a.role for a in found if "+" in a.label] == ["intervention"]
    assert [a.n.value for a in found if "+" in a.label and a.n] == [128]


@pytest.mark.parametrize(
    "title",
    ["Open-label study of IVIg in small fibre neuropathy", "IVIg in CIDP: a retrospective study"],
)
def test_an_uncontrolled_study_has_one_arm_with_all_its_patients(read: Read, title: str) -> None:
    (arm,) = read("Twenty patients were treated with IVIg.", title).arms
    assert arm.n is not None
    assert (arm.role, arm.treatment, arm.n.value) == ("intervention", "Immunoglobulin", 20)
    assert arm.n.derived == "all patients of an uncontrolled study"


@pytest.mark.parametrize(
    ("abstract", "treated"),
    [
        ("A cohort of 1,204 patients was reviewed; 204 patients received IVIg.", 204),
        ("IVIg was given to 5 of 20 patients with neuropathy.", 5),
    ],
)
def test_an_arm_holds_only_those_who_had_its_treatment(
    read: Read, abstract: str, treated: int
) -> None:
    found = read(abstract, "IVIg in CIDP: a retrospective study").arms
    assert [a.n.value for a in found if a.n and a.role == "intervention"] in ([], [treated])


def test_a_protocol_term_decides_what_the_intervention_is(read: Read) -> None:
    abstract = "We randomised 117 patients with CIDP to Privigen (n = 59) or placebo (n = 58)."
    treatments = [(a.role, a.treatment) for a in read(abstract, PLACEBO).arms]
    assert treatments == [("intervention", "Immunoglobulin"), ("comparator", "placebo")]
