"""How many patients: enrolled, analysed and completed, told from all other numbers of people."""

from __future__ import annotations

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import n

TRIAL = "Intravenous immunoglobulin in CIDP: a randomised placebo-controlled trial"
SERIES = "Open-label study of IVIg in small fibre neuropathy"


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("We randomised 60 patients to IVIg or placebo.", 60),
        ("Sixty patients were randomised to IVIg or placebo.", 60),
        ("A total of 207 adults with CIDP were randomly assigned to IVIg or placebo.", 207),
        ("Two hundred and seven patients were enrolled and given IVIg or placebo.", 207),
        ("In all, 1,024 patients with CIDP were randomised to IVIg or placebo.", 1024),
        ("Thirty-nine participants from 4 centres in 3 countries were randomised.", 39),
        ("Over 24 weeks, 44 subjects with CIDP were randomly allocated 1 : 1.", 44),
        ("Patients (n = 42) with CIDP were randomised to IVIg or placebo.", 42),
    ],
)
def test_the_number_randomised(read: Read, sentence: str, total: int) -> None:
    assert n(read(sentence, TRIAL))[0] == total


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("Eleven men and 4 women were treated with IVIg.", 15),
        ("Three boys and five girls received IVIg.", 8),
        ("We treated 15 patients (eleven men and 4 women) with IVIg.", 15),
        ("We treated 12 patients, 7 of them women, with IVIg.", 12),
        ("We gave IVIg to 9 patients aged 34 to 71 years.", 9),
        ("The charts of 23 patients given IVIg were reviewed.", 23),
    ],
)
def test_the_number_treated(read: Read, sentence: str, total: int) -> None:
    assert n(read(sentence, SERIES))[0] == total


@pytest.mark.parametrize(
    ("sentence", "counts"),
    [
        (
            "Nineteen patients were enrolled and 18 were analysed after IVIg.",
            (18, 19, None),
        ),
        (
            "We enrolled 50 patients. Four patients were excluded, leaving 46 on IVIg.",
            (46, 50, None),
        ),
        (
            "Thirty patients were enrolled and given IVIg; 27 completed the study.",
            (30, 30, 27),
        ),
        (
            "Twenty patients received IVIg. Eighteen patients finished follow-up.",
            (20, None, 18),
        ),
    ],
)
def test_enrolled_analysed_and_completed_stay_apart(
    read: Read, sentence: str, counts: tuple[int | None, int | None, int | None]
) -> None:
    assert n(read(sentence, SERIES)) == counts


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("We treated 7 patients with IVIg and found 74 cases in the literature.", 7),
        ("We treated 12 patients with IVIg. Blood of 30 healthy controls was tested.", 12),
        ("We screened 80 patients; 25 patients were enrolled and treated with IVIg.", 25),
        ("We treated 31 patients with IVIg. Five patients were excluded for infection.", 31),
        ("We treated 31 patients with IVIg. About 3 million people have neuropathy.", 31),
        ("We treated 16 patients with IVIg. Of these, 9 patients improved.", 16),
        ("We treated 16 patients with IVIg for 52 weeks. Four patients withdrew.", 16),
    ],
)
def test_other_peoples_patients_stay_out(read: Read, sentence: str, total: int) -> None:
    assert n(read(sentence, SERIES))[0] == total


@pytest.mark.parametrize(
    "sentence",
    [
        "Of 112 patients screened, 93 were randomised to IVIg or placebo.",
        "We screened 112 patients, and 93 patients were randomised to IVIg or placebo.",
        "Consent was given by 339 patients; 93 patients were randomised to IVIg or placebo.",
    ],
)
def test_a_cascade_ends_with_those_randomised(read: Read, sentence: str) -> None:
    assert n(read(sentence, TRIAL))[0] == 93


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("Thirty patients had IVIg and 28 patients had placebo, 58 in total.", 58),
        ("Patients were randomised 2 : 1 to IVIg (40 patients) or placebo (20 patients).", 60),
        ("Thirty-one patients received IVIg; twenty-nine received placebo.", 60),
    ],
)
def test_the_size_of_one_group_is_not_the_studys(read: Read, sentence: str, total: int) -> None:
    """The sum, or nothing where the groups are not added up."""
    assert n(read(sentence, TRIAL))[0] in (total, None)


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("IVIg in small fibre neuropathy: a case report", "A 45-year-old woman got better."),
        ("Painful neuropathy helped by IVIg", "We report a case of neuropathy helped by IVIg."),
        ("Painful neuropathy helped by IVIg", "A 61-year-old man had 6 courses of IVIg."),
    ],
)
def test_a_case_report_has_one_patient_and_says_why(read: Read, title: str, sentence: str) -> None:
    study = read(sentence, title)
    assert study.design.value == "case_report"
    assert n(study) == (1, None, None)
    assert study.n_total is not None
    assert study.n_total.derived == "a case report"


@pytest.mark.parametrize(
    "title",
    [
        "IVIg for CIDP: a systematic review and meta-analysis",
        "IVIg in CIDP: study protocol for a randomised trial",
        "EFNS guideline on the treatment of CIDP",
        "IVIg in experimental autoimmune neuritis in rats",
    ],
)
def test_what_has_no_patients_of_its_own_has_no_n(read: Read, title: str) -> None:
    study = read("Six trials with 170 patients on IVIg or placebo were found.", title)
    assert n(study) == (None, None, None)
    assert study.arms == ()
    assert study.outcomes == ()


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("We randomised 320 sedentary, postmenopausal women to yoga or usual care.", 320),
        ("Overall, 264 previously untreated stage II-III lung cancer patients were enrolled.", 264),
        ("We randomised 280 female (18-60 years) surgical patients to saline or gelatin.", 280),
        ("Sedentary women aged 50 to 74 years (n = 320) were randomised to yoga or rest.", 320),
        ("We randomised 266 healthy pregnant women to iron or placebo.", 266),
        ("In all, 347 H. pylori-infected patients were randomised.", 347),
        ("Thirty-one of 322 eligible women participated and were randomised.", 31),
        ("A total of 75/950 (8 %) women approached agreed to be randomised.", 75),
        ("Twenty kidney recipients were randomised to two regimens.", 20),
        ("This retrospective analysis included 460 women (40% of those randomised).", 460),
    ],
)
def test_words_between_a_number_and_its_people(read: Read, sentence: str, total: int) -> None:
    assert n(read(sentence, "A randomised trial in outpatients"))[0] == total


@pytest.mark.parametrize(
    "sentence",
    [
        "All took the drug for the remaining 5 days in this randomised trial.",
        "It was a randomised trial in type 2 diabetes patients.",
        "The rate was 5.4 per 1000 women in this randomised trial.",
        "Two patients of this randomised trial withdrew.",
        "Stage 3 patients were randomised.",
    ],
)
def test_other_numbers_are_not_the_trials(read: Read, sentence: str) -> None:
    assert n(read(sentence, "A randomised trial in outpatients"))[0] is None


@pytest.mark.parametrize(
    ("sentence", "total", "derived"),
    [
        ("Forty women were assigned to yoga and 38 to rest.", 78, "sum of the arms"),
        ("Patients were randomised to yoga (n = 40) or rest (n = 38).", 78, "sum of the arms"),
        ("In all, 78 were randomised to yoga (n = 40) or rest (n = 38).", 78, ""),
    ],
)
def test_the_arms_add_up_to_the_trial(read: Read, sentence: str, total: int, derived: str) -> None:
    found = read(sentence, "Yoga or rest: a randomised trial").n_total
    assert found is not None
    assert (found.value, found.derived) == (total, derived)


def test_no_number_no_n(read: Read) -> None:
    assert n(read("Patients with neuropathy were treated with IVIg.", SERIES)) == (None,) * 3


def test_a_sum_names_its_rule_and_quotes_its_parts(read: Read) -> None:
    total = read("Eleven men and 4 women were treated with IVIg.", SERIES).n_total
    assert total is not None
    assert total.quote is not None
    assert (total.derived, total.quote.text) == ("sum of the sexes", "Eleven men and 4 women")


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("Neuropathy survivors (NS) were studied. In all, 125 NS were randomised.", 125),
        ("Pain was measured in SWOG 0307. Of 618 women, 48 had a fall.", 618),
        ("Age and weakness were well balanced (N = 724).", 724),
        ("At 40 clinical centres enrolling participants, 88 patients were randomised.", 88),
        ("Twenty patients had a block and 13 had no block.", 33),
        ("28 subjects were screened, of whom 8 (29%) were randomised.", 8),
        ("26 patients enrolled. Twenty-three of these patients were randomised.", 23),
        ("Of 247 patients, 14 withdrew, leaving 112 in the control arm and 121 on IVIg.", 247),
    ],
)
def test_totals_without_the_usual_words(read: Read, sentence: str, total: int) -> None:
    assert n(read(sentence, TRIAL))[0] == total


def test_a_number_marked_for_a_group_is_not_the_studys(read: Read) -> None:
    assert n(read("Pain fell in the placebo group (n = 18).", TRIAL))[0] is None


@pytest.mark.parametrize(
    ("sentence", "counts"),
    [
        ("We studied 20 patients given IVIg.", (20, None, None)),
        (
            "Of the 31 screened patients, 28 patients were enrolled and given IVIg.",
            (28, None, None),
        ),
        ("We enrolled 233 patients. We analysed 225 patients.", (225, 233, None)),
        ("Twenty-five patients were included. The analysis was on 22 patients.", (22, 25, None)),
        ("Follow-up was 220 patient-years in 85 patients treated with IVIg.", (85, None, None)),
    ],
)
def test_who_was_enrolled_is_said_so(
    read: Read, sentence: str, counts: tuple[int, int | None, int | None]
) -> None:
    assert n(read(sentence, TRIAL)) == counts


def test_patients_looked_back_on_were_not_enrolled(read: Read) -> None:
    text = "The charts of 30 patients given IVIg were included."
    assert n(read(text, "IVIg in CIDP: a retrospective study")) == (30, None, None)


@pytest.mark.parametrize(
    ("sentence", "total"),
    [
        ("We compared 30 typical and 25 atypical patients at onset.", 55),
        ("Twelve new patients were given 2 g/kg and 18 patients received 1 g/kg as before.", 30),
        (
            "IVIg was given to 12 children, who were compared with 14 children who were observed.",
            26,
        ),
        ("Of 80 eligible patients, 36 were included.", 36),
        ("Among the 80 patients identified at our clinic, 36 (45%) were enrolled.", 36),
        ("Adults with immunoglobulin (IVIg)-dependent CIDP (n = 48) entered the study.", 48),
    ],
)
def test_the_whole_of_groups_side_by_side(read: Read, sentence: str, total: int) -> None:
    assert n(read(sentence, "Chronic inflammatory neuropathy"))[0] == total


@pytest.mark.parametrize(
    "sentence",
    [
        "From January to December 2021 evaluated adults had IVIg.",
        "In six patients with early IVIg strength held, whereas it fell in five patients without.",
        "Each treatment group consisted of 24 individuals.",
        "A course cost 120,000 rupees per patient.",
    ],
)
def test_no_total_from_a_year_a_part_an_arm_or_a_price(read: Read, sentence: str) -> None:
    assert n(read(sentence, SERIES))[0] is None


def test_a_total_below_a_printed_denominator_is_left_out(read_surely: Read) -> None:
    text = "Embolism came to 4% (3/68 patients). Sixteen patients received heparin with IVIg."
    found = read_surely(text, "Embolism with immunoglobulin")
    assert found.n_total is None
    assert any("larger number" in p.message for p in found.problems)


def test_the_size_of_an_arm_far_behind_brackets_is_no_total(read: Read) -> None:
    text = "In 20 patients, flow was measured under drug (4-6 mg/day) or other drug (n = 10 each)."
    assert n(read(text, "Drug or other drug in high blood pressure"))[0] == 20
