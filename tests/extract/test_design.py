"""Designs: what kind of study an abstract reports, whatever the record is typed as."""

from __future__ import annotations

import pytest

from pipeline.schema import DESIGNS
from tests.extract.conftest import Read

#: (design, title, abstract, publication types), each the least that shows the design.
CASES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "rct_parallel",
        "IVIg in CIDP: a randomised placebo-controlled trial",
        "We randomised 60 patients to IVIg or placebo.",
        (),
    ),
    (
        "rct_parallel",
        "IVIg in CIDP",
        "Sixty patients were randomly assigned to IVIg or placebo in double-blind fashion.",
        ("Randomized Controlled Trial",),
    ),
    (
        "rct_crossover",
        "IVIg in multifocal motor neuropathy: a randomised crossover trial",
        "Sixteen patients received IVIg and placebo in random order.",
        (),
    ),
    (
        "rct_crossover",
        "A controlled trial of IVIg in multifocal motor neuropathy",
        "Patients were randomised to IVIg followed by placebo, or the reverse.",
        (),
    ),
    (
        "nonrandomised_controlled",
        "IVIg or plasma exchange in Guillain-Barré syndrome: a non-randomised comparison",
        "Forty patients had IVIg and 38 patients had plasma exchange.",
        (),
    ),
    (
        "single_arm_prospective",
        "IVIg in small fibre neuropathy: an open-label study",
        "Twenty patients were treated with IVIg and followed for a year.",
        (),
    ),
    (
        "retrospective_cohort",
        "IVIg in small fibre neuropathy",
        "We did a retrospective chart review of 55 patients given IVIg.",
        (),
    ),
    (
        "case_series",
        "IVIg for painful neuropathy in Sjögren's syndrome",
        "We examined 5 patients with painful neuropathy. All patients had IVIg.",
        (),
    ),
    (
        "case_series",
        "IVIg in dysautonomia: a case series",
        "We describe four patients given IVIg.",
        (),
    ),
    (
        "case_report",
        "IVIg in neuralgic amyotrophy: a case report",
        "A 34-year-old man recovered after IVIg.",
        ("Case Reports",),
    ),
    (
        "systematic_review",
        "IVIg for CIDP: a systematic review and meta-analysis",
        "Six randomised trials with 170 patients were found.",
        ("Systematic Review",),
    ),
    (
        "narrative_review",
        "IVIg in neuropathies: a review of current use",
        "This article reviews the use of IVIg in neuropathy.",
        ("Review",),
    ),
    (
        "guideline",
        "EFNS guideline on the treatment of multifocal motor neuropathy",
        "IVIg 2 g/kg over 2 to 5 days is recommended as first treatment.",
        ("Practice Guideline",),
    ),
    (
        "protocol",
        "IVIg in CIDP: study protocol for a randomised controlled trial",
        "Sixty patients will be randomised to IVIg or placebo.",
        (),
    ),
    (
        "animal",
        "Immunoglobulin in experimental autoimmune neuritis in Lewis rats",
        "Rats were injected with IgG and walked better.",
        (),
    ),
    (
        "other",
        "The price of IVIg in CIDP",
        "IVIg is expensive.",
        (),
    ),
)


@pytest.mark.parametrize(("design", "title", "abstract", "types"), CASES)
def test_a_design_from_the_least_that_shows_it(
    read: Read, design: str, title: str, abstract: str, types: tuple[str, ...]
) -> None:
    assert read(abstract, title, publication_types=types).design.value == design


def test_every_design_of_the_schema_has_a_case() -> None:
    assert {design for design, *_ in CASES} == set(DESIGNS)


def test_a_protocol_that_is_typed_as_a_trial_is_a_protocol(read: Read) -> None:
    study = read(
        "Sixty patients will be randomised to IVIg (2 g/kg) or placebo. The primary outcome is "
        "the share of responders at week 24.",
        "IVIg in CIDP: study protocol for a randomised controlled trial",
        publication_types=("Randomized Controlled Trial", "Journal Article"),
    )
    assert study.design.value == "protocol"
    assert study.n_total is None


def test_a_review_that_speaks_of_trials_is_a_review(read: Read) -> None:
    study = read(
        "We review the evidence on IVIg in CIDP. In a double-blind trial 117 patients were "
        "randomised to IVIg or placebo.",
        "Treatment of CIDP: a review",
        publication_types=("Journal Article", "Review"),
    )
    assert study.design.value == "narrative_review"


def test_trials_as_topic_make_no_trial(read: Read) -> None:
    study = read(
        "IVIg is used in chronic pain.",
        "Immunoglobulin responsive chronic pain",
        publication_types=("Review",),
        mesh=("Randomized Controlled Trials as Topic",),
    )
    assert study.design.value == "narrative_review"


@pytest.mark.parametrize(
    "abstract",
    [
        "This was a non-randomised study of 30 patients on IVIg and 28 patients on steroids.",
        "In this study, which was not randomised, 30 patients had IVIg and 28 had steroids.",
        "Without randomisation 30 patients had IVIg and 28 patients had steroids.",
    ],
)
def test_what_is_denied_is_no_sign(read: Read, abstract: str) -> None:
    design = read(abstract, "IVIg or steroids in CIDP").design.value
    assert design not in ("rct_parallel", "rct_crossover")


@pytest.mark.parametrize(
    ("n", "design"), [("seven", "case_series"), ("55", "retrospective_cohort")]
)
def test_a_handful_looked_back_on_is_a_series(read: Read, n: str, design: str) -> None:
    abstract = f"We retrospectively reviewed {n} patients treated with IVIg."
    assert read(abstract, "IVIg in small fibre neuropathy").design.value == design


def test_a_design_read_from_the_text_quotes_it(read: Read) -> None:
    study = read("Sixty patients were randomly assigned to IVIg or placebo.", "IVIg in CIDP")
    assert study.design.quote is not None
    assert "random" in study.design.quote.text


def test_a_design_read_from_the_types_names_them(read: Read) -> None:
    study = read("IVIg is old.", "On IVIg", publication_types=("Review",))
    assert (study.design.value, study.design.quote) == ("narrative_review", None)
    assert study.design.derived


def test_an_arm_called_the_standard_treatment_group_makes_no_review(read: Read) -> None:
    abstract = (
        "A prospective controlled study. In the standard treatment group 262 patients were "
        "enrolled, and 241 in the support group."
    )
    assert read(abstract, "A support programme for patients").design.value != "narrative_review"


@pytest.mark.parametrize(
    ("title", "abstract"),
    [
        ("SCIg in CIDP: the pre-randomization phase of a trial", "Patients had IVIg for 12 weeks."),
        ("SCIg in CIDP: an extension study", "This followed a double-blind randomised trial."),
        (
            "SCIg in CIDP over the long term",
            "This was an open-label extension of the randomised placebo-controlled study.",
        ),
        ("SCIg in CIDP: an interim report", "It is a long-term extension of a double-blind trial."),
        (
            "Long-term follow-up of SCIg in CIDP",
            "The patients had taken part in a randomised trial.",
        ),
    ],
)
def test_what_precedes_or_extends_a_trial_is_no_trial(
    read: Read, title: str, abstract: str
) -> None:
    assert read(f"{abstract} Twenty patients had SCIg.", title).design.value == (
        "single_arm_prospective"
    )


@pytest.mark.parametrize(
    ("title", "abstract", "design"),
    [
        (
            "IVIg versus plasma exchange in Guillain-Barré syndrome",
            "This was a nonrandomized study of 41 patients.",
            "nonrandomised_controlled",
        ),
        (
            "Comparison of outcome in patients given IVIg or plasma exchange",
            "A prospective cohort of 74 patients was studied.",
            "nonrandomised_controlled",
        ),
        (
            "IVIg in severe Guillain-Barré syndrome",
            "Cases (n = 22) had IVIg, and controls (n = 11) had not, retrospectively.",
            "nonrandomised_controlled",
        ),
        (
            "Serum IgG after IVIg in Guillain-Barré syndrome",
            "A retrospective observational study of 42 patients.",
            "retrospective_cohort",
        ),
        (
            "The review process of IVIg orders",
            "A panel reviewed case records of 248 patients.",
            "retrospective_cohort",
        ),
        (
            "Intravenous versus subcutaneous immunoglobulin in CIDP",
            "In a prospective open-label study patients were changed to SCIg.",
            "single_arm_prospective",
        ),
    ],
)
def test_a_design_by_its_own_words(read: Read, title: str, abstract: str, design: str) -> None:
    assert read(abstract, title).design.value == design


@pytest.mark.parametrize(
    ("title", "abstract", "design"),
    [
        (
            "IVIg in CIDP",
            "Thirty patients were randomised to IVIg or placebo. An earlier cross-over trial "
            "had been positive.",
            "rct_parallel",
        ),
        (
            "Stroke after immunoglobulin: a case-crossover study",
            "Admissions were compared with earlier ones of the same people.",
            "other",
        ),
        (
            "Effect and cost-effectiveness of IVIg and plasma exchange",
            "In this prospective observational study the two regimens were compared.",
            "nonrandomised_controlled",
        ),
        (
            "Cost-effectiveness analysis of IVIg in CIDP",
            "A Markov model was run over ten years.",
            "other",
        ),
        (
            "Rectal or oral dosing after surgery",
            "Sixty patients were randomised to A or B. A cost-minimization model was run too.",
            "rct_parallel",
        ),
    ],
)
def test_a_cited_trial_or_a_price_does_not_make_the_design(
    read: Read, title: str, abstract: str, design: str
) -> None:
    assert read(abstract, title).design.value == design
