"""The condition, and what the intervention was compared with."""

from __future__ import annotations

import pytest

from pipeline.config import Config
from tests.extract.conftest import Read


@pytest.mark.parametrize(
    ("title", "condition", "mesh"),
    [
        ("IVIg in CIDP", "CIDP", "Polyradiculoneuropathy, Chronic Inflammatory Demyelinating"),
        (
            "IVIg in chronic inflammatory demyelinating polyradiculoneuropathy",
            "CIDP",
            "Polyradiculoneuropathy, Chronic Inflammatory Demyelinating",
        ),
        ("IVIg in Guillain–Barré syndrome", "Guillain-Barré syndrome", "Guillain-Barre Syndrome"),
        ("IVIg in Miller Fisher syndrome", "Guillain-Barré syndrome", "Guillain-Barre Syndrome"),
        ("IVIg in multifocal motor neuropathy", "Multifocal motor neuropathy", None),
        ("IVIg in small-fiber polyneuropathy", "Small fibre neuropathy", "Small Fiber Neuropathy"),
        (
            "IVIg for painful sensory neuropathy in Sjögren’s syndrome",
            "Neuropathy in Sjögren's syndrome",
            "Sjogren's Syndrome",
        ),
        ("IVIg in postpolio syndrome", "Post-polio syndrome", "Postpoliomyelitis Syndrome"),
        ("IVIg in diabetic neuropathy", "Diabetic neuropathy", "Diabetic Neuropathies"),
        ("IVIg in sensory ataxic neuropathy", "Neuropathy", "Peripheral Nervous System Diseases"),
    ],
)
def test_the_conditions_of_the_protocol(
    read: Read, title: str, condition: str, mesh: str | None
) -> None:
    study = read("Twenty patients had IVIg.", title)
    assert study.condition is not None
    assert (study.condition.value, study.condition_mesh) == (condition, mesh)
    assert study.condition.quote is not None


@pytest.mark.parametrize(
    ("title", "condition"),
    [
        ("IVIg in Kawasaki disease", "Kawasaki disease"),
        ("IVIg in multiple sclerosis", "Multiple sclerosis"),
        ("IVIg in myasthenia gravis", "Myasthenia gravis"),
    ],
)
def test_other_diseases_are_named_and_are_not_the_protocols(
    read: Read, config: Config, title: str, condition: str
) -> None:
    study = read("Twenty patients had IVIg.", title)
    assert study.condition is not None
    assert study.condition.value == condition
    assert condition not in {c.name for c in config.eligibility.population}


def test_the_title_outranks_the_abstract(read: Read) -> None:
    study = read("Patients with CIDP were excluded.", "IVIg in multifocal motor neuropathy")
    assert study.condition is not None
    assert study.condition.value == "Multifocal motor neuropathy"


def test_the_specific_condition_outranks_the_general_one(read: Read) -> None:
    study = read("They had IVIg.", "IVIg in neuropathy: twenty patients with CIDP")
    assert study.condition is not None
    assert study.condition.value == "CIDP"


def test_a_mesh_heading_stands_in_where_the_text_names_none(read: Read) -> None:
    study = read("Twenty patients had IVIg.", "IVIg", mesh=("Guillain-Barre Syndrome",))
    assert study.condition is not None
    assert study.condition.value == "Guillain-Barré syndrome"
    assert study.condition.quote is None
    assert study.condition.derived


def test_no_condition_is_invented(read: Read) -> None:
    assert read("Twenty patients had IVIg.", "On IVIg").condition is None


def test_capitals_are_matched_as_printed(read: Read) -> None:
    """ "pots" are no postural orthostatic tachycardia syndrome."""
    assert read("Flowers stood in pots on the ward.", "On IVIg").condition is None


@pytest.mark.parametrize(
    ("title", "abstract", "compared"),
    [
        (
            "IVIg in CIDP: a randomised placebo-controlled trial",
            "We randomised 60 patients to IVIg or placebo.",
            "Ig vs placebo",
        ),
        (
            "IVIg versus prednisolone in CIDP: a randomised trial",
            "We randomised 46 patients to IVIg (n = 24) or prednisolone (n = 22).",
            "Ig vs active",
        ),
        (
            "IVIg versus supportive care in Guillain-Barré syndrome: a randomised trial",
            "We randomised 21 children to IVIg or no treatment.",
            "Ig vs no treatment",
        ),
        (
            "Two doses of IVIg in CIDP: a randomised trial",
            "We randomised 107 patients: 12 of 50 in the 1.0 g/kg group and 9 of 57 in the "
            "2.0 g/kg group relapsed.",
            "Ig dose regimen",
        ),
        (
            "SCIg versus IVIg in CIDP: a randomised trial",
            "We randomised 20 patients to SCIg or IVIg.",
            "Ig route",
        ),
        (
            "Kiovig versus Gammagard in CIDP: a randomised trial",
            "We randomised 27 patients to Kiovig or Gammagard.",
            "Ig brand",
        ),
        (
            "Withdrawal of IVIg in CIDP: a randomised trial",
            "We randomised 60 patients to withdrawal or continuation of IVIg.",
            "Ig withdrawal",
        ),
        (
            "IVIg in small fibre neuropathy: an open-label study",
            "Twenty patients were treated with IVIg.",
            "none (single-arm)",
        ),
    ],
)
def test_the_comparison_class(read: Read, title: str, abstract: str, compared: str) -> None:
    found = read(abstract, title).comparison_class
    assert found is not None
    assert found.value == compared


def test_without_immunoglobulin_the_treatments_names_stand_in_its_place(read: Read) -> None:
    found = read(
        "We randomised 40 patients to plasma exchange or prednisolone.",
        "Plasma exchange versus prednisolone in CIDP: a randomised trial",
    ).comparison_class
    assert found is not None
    assert found.value in (
        "plasma exchange vs corticosteroids",
        "corticosteroids vs plasma exchange",
    )


def test_a_review_compares_nothing(read: Read) -> None:
    title = "IVIg against placebo in CIDP: a systematic review"
    assert read("Six trials of IVIg against placebo were found.", title).comparison_class is None


@pytest.mark.parametrize(
    ("title", "abstract", "compared"),
    [
        (
            "Prednisone added to IVIg in GBS: a randomised trial",
            "After IVIg we assigned 80 patients to prednisone (50 mg; n = 40) or placebo (n = 40).",
            "add-on (Ig in both arms)",
        ),
        (
            "Tapering off SCIg in CIDP",
            "In an open-label study 30 patients on SCIg had their dose cut.",
            "Ig withdrawal",
        ),
        (
            "Randomised trial of IVIg treatment regimens in CIDP",
            "We randomised 20 patients to half their dose of IVIg or to IVIg and placebo.",
            "Ig dose regimen",
        ),
        (
            "Subcutaneous immunoglobulin in CIDP",
            "In an open-label study 20 patients, who had switched from intravenous "
            "immunoglobulin, had SCIg.",
            "Ig route",
        ),
        (
            "Subcutaneous immunoglobulin in CIDP",
            "In an open-label study 20 patients had SCIg at 1.4:1 to their dose of IVIg.",
            "Ig route",
        ),
        (
            "Subcutaneous immunoglobulin in CIDP",
            "In an open-label study 20 patients had SCIg, which may spare intravenous lines.",
            "none (single-arm)",
        ),
        (
            "Subcutaneous immunoglobulin in CIDP",
            "In an open-label study 20 patients (men to women 1:1) had SCIg, no intravenous drug.",
            "none (single-arm)",
        ),
    ],
)
def test_the_comparison_that_arms_alone_do_not_show(
    read: Read, title: str, abstract: str, compared: str
) -> None:
    found = read(abstract, title).comparison_class
    assert found is not None and found.value == compared


@pytest.mark.parametrize(
    ("abstract", "condition"),
    [
        ("Patients with CIDP had IVIg.", "CIDP"),
        ("Patients with CIDP or GBS had IVIg.", "Neuropathy"),
        ("Patients had IVIg.", "Neuropathy"),
    ],
)
def test_the_one_condition_of_the_text_makes_a_general_title_specific(
    read: Read, abstract: str, condition: str
) -> None:
    found = read(abstract, "Demyelinating polyneuropathy and IVIg").condition
    assert found is not None and found.value == condition


def test_a_drug_beside_the_intervention_is_an_add_on(read: Read) -> None:
    text = (
        "In a randomised, double-blind, placebo-controlled trial of 8 patients five had "
        "eculizumab alongside standard intravenous immunoglobulin."
    )
    compared = read(text, "Complement inhibition in Guillain-Barré syndrome").comparison_class
    assert compared is not None
    assert compared.value.startswith("add-on")


def test_a_trial_whose_other_arm_was_not_found_has_no_class(read: Read) -> None:
    text = "Cases (n = 22) had IVIg, and controls (n = 11) were like them."
    assert read(text, "IVIg in severe Guillain-Barré syndrome").comparison_class is None


def test_what_the_intervention_depends_on_is_not_tried(read: Read) -> None:
    text = "Rituximab was given to six patients in an open-label study."
    arms = read(text, "Rituximab in patients with IVIg-dependent neuropathy").arms
    assert [a.treatment for a in arms] == ["rituximab"]


@pytest.mark.parametrize(
    "title",
    [
        "Safety of immunoglobulin in patients with neuromuscular disease",
        "Headache after IVIg in neurological and immunological disorders",
        "IVIg for autoimmune diseases at home",
    ],
)
def test_one_disease_of_a_mixed_cohort_is_not_its_condition(read: Read, title: str) -> None:
    found = read("We saw 40 patients, 12 of them with CIDP.", title)
    assert found.condition is None
    assert any("a class of diseases" in p.message for p in found.problems)


def test_a_disease_that_is_only_alike_is_not_the_condition(read: Read) -> None:
    found = read("Its features were like those of CIDP.", "A chronic axonal polyneuropathy")
    assert found.condition is None or found.condition.value != "CIDP"


@pytest.mark.parametrize(
    "text",
    [
        "We compared the two dose regimens of IVIg in 30 children.",
        "Ten patients had IVIg. Diplopia was as long in the control group.",
        "This retrospective controlled study followed 30 patients given IVIg.",
        "Relapse came to 10% in the 2 g/kg group and to 30% in the 1 g/kg group.",
        "Patients fell into subgroups by treatment.",
    ],
)
def test_groups_by_treatment_are_no_single_arm(read: Read, text: str) -> None:
    found = read(f"The charts of 30 patients given IVIg were reviewed. {text}", "Miller Fisher")
    assert found.comparison_class is None or found.comparison_class.value != "none (single-arm)"


@pytest.mark.parametrize(
    "words",
    ["Adults with IVIg-dependent CIDP were", "Adults with CIDP, kept on IVIg to week 16, were"],
)
def test_another_drug_against_placebo_in_those_on_the_intervention(read: Read, words: str) -> None:
    text = f"{words} randomised to the drug or placebo. The groups received as much IVIg."
    found = read(text, "Interferon beta in CIDP")
    assert found.comparison_class is not None
    assert found.comparison_class.value == "add-on (Ig in both arms)"


@pytest.mark.parametrize(
    "text",
    [
        "This cross-sectional study had 44 patients on SCIG.",
        "Aim: To evaluate the correlation between gait and quality of life in patients on SCIG.",
    ],
)
def test_a_look_at_one_time_has_no_class_and_says_so(read: Read, text: str) -> None:
    found = read(f"{text} They had moved from IV.", "Quality of life in CIDP with SCIG")
    assert found.comparison_class is None
    assert "cross_sectional" in {p.code for p in found.problems}


def test_a_title_that_names_a_class_of_treatments_names_no_other(read: Read) -> None:
    found = read("We gave IVIg to six patients.", "Immunomodulatory treatment in POTS: a series")
    assert [a.treatment for a in found.arms] == ["Immunoglobulin"]
