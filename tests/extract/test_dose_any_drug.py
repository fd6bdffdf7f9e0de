"""Doses of any drug: units, drugs, frequencies, lists, damaged text, and what is no dose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import plain

TITLE = "Two treatments of high blood pressure"


def read_doses(read: Read, sentence: str) -> list[dict[str, Any]]:
    """The doses of a sentence as plain values."""
    return [plain(d) for d in read(sentence, TITLE).doses]


def amounts(read: Read, sentence: str) -> list[tuple[Any, str]]:
    """Amount and unit of each dose of a sentence."""
    return [(d["amount"], d["unit"]) for d in read_doses(read, sentence)]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("20 mg", (20, "mg")),
        ("20mg", (20, "mg")),
        ("20-mg", (20, "mg")),
        ("20\u2011mg", (20, "mg")),
        ("20\u2009mg", (20, "mg")),
        ("20 milligrams", (20, "mg")),
        ("250 µg", (250, "mcg")),
        ("250 μg", (250, "mcg")),
        ("250 ug", (250, "mcg")),
        ("250 microg", (250, "mcg")),
        ("250 micrograms", (250, "mcg")),
        ("250 mcg", (250, "mcg")),
        ("1,000 IU", (1000, "IU")),
        ("1 200 mg".replace(" ", "\u2009", 1), (1200, "mg")),
        ("18 million IU", (18, "MIU")),
        ("18 MU", (18, "MU")),
        ("18 mU", (18, "mU")),
        ("1.5 x 10(6) IU", (1_500_000, "IU")),
        ("75 mg/m2", (75, "mg/m2")),
        ("75 mg/m^2", (75, "mg/m2")),
        ("75 mg/m(2)", (75, "mg/m2")),
        ("75 mg/m²", (75, "mg/m2")),
        ("75 mg/m<sup>2</sup>", (75, "mg/m2")),
        ("75 mg m-2", (75, "mg/m2")),
        ("5 mg/kg/d", (5, "mg/kg")),
        ("5 mg/kg body weight", (5, "mg/kg")),
        ("0.1 mg.kg-1", (0.1, "mg/kg")),
        ("0.1 mg kg(-1)", (0.1, "mg/kg")),
        ("0.1 mg x kg(-1)", (0.1, "mg/kg")),
        ("5 mcg/kg/min", (5, "mcg/kg/min")),
        ("2 mg/h", (2, "mg/h")),
        ("0.2 mg.kg-1.h-1", (0.2, "mg/kg/h")),
        ("1 g", (1, "g")),
        ("1 gm", (1, "g")),
        ("40 units", (40, "U")),
        ("40 mmol", (40, "mmol")),
        ("0·4 mg", (0.4, "mg")),
        ("0. 4 mg", (0.4, "mg")),
        ("0,4 mg", (0.4, "mg")),
        (".4 mg", (0.4, "mg")),
    ],
)
def test_a_unit_is_read_however_it_is_printed(
    read: Read, printed: str, expected: tuple[float, str]
) -> None:
    assert amounts(read, f"Patients received testolol {printed} in the morning.") == [expected]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("10, 20 or 40 mg", [10, 20, 40]),
        ("10-, 20- and 40-mg", [10, 20, 40]),
        ("10- or 20-mg", [10, 20]),
        ("10 or 20 mg", [10, 20]),
        ("10 mg and 20 mg", [10, 20]),
        ("10 to 20 mg", [(10, 20)]),
        ("10–20 mg", [(10, 20)]),
        ("7.5--20 mg", [(7.5, 20)]),
        ("10/40 mg", [10, 40]),
        ("10 mg/40 mg", [10, 40]),
        ("0, 10 or 20 mg", [10, 20]),
        ("2 x 100 mg", [100]),
        ("24 ± 3 mg", [24]),
        ("27.0 (9-54) mg", [27]),
    ],
)
def test_several_amounts_are_several_doses(read: Read, printed: str, expected: list[Any]) -> None:
    found = [a for a, _ in amounts(read, f"Patients received testolol {printed} in the morning.")]
    assert found == expected


def test_each_amount_of_a_list_has_its_own_quote(read: Read) -> None:
    study = read("Patients received testolol 10, 20 or 40 mg.", TITLE)
    quotes = [d.amount.quote.text for d in study.doses if d.amount and d.amount.quote]
    assert quotes == ["10", "20", "40"]


@pytest.mark.parametrize(
    ("phrase", "per", "frequency"),
    [
        ("20 mg daily", "day", None),
        ("20 mg/day", "day", None),
        ("20 mg/d", "day", None),
        ("20 mg x day(-1)", "day", None),
        ("20 mg once daily", "day", "once daily"),
        ("20 mg o.d.", "day", "o.d."),
        ("20 mg nightly", "day", "nightly"),
        ("20 mg twice daily", None, "twice daily"),
        ("20 mg three times a day", None, "three times a day"),
        ("20 mg 3 times/day", None, "3 times/day"),
        ("20 mg t.d.s. in a trial", None, "t.d.s."),
        ("20 mg b.i.d. in a trial", None, "b.i.d."),
        ("20 mg b.d. in a trial", None, "b.d."),
        ("20 mg t. i. d. in a trial", None, "t. i. d."),
        ("20 mg bid", None, "bid"),
        ("20 mg every 8 hours", None, "every 8 hours"),
        ("20 mg 12 hourly", None, "12 hourly"),
        ("20 mg q8h", None, "q8h"),
        ("20 mg every other day", None, "every other day"),
        ("20 mg on alternate days", None, "on alternate days"),
        ("20 mg twice weekly", None, "twice weekly"),
        ("20 mg on days 1, 8, and 15", None, "on days 1, 8, and 15"),
        ("20 mg every 3 weeks", "infusion", "every 3 weeks"),
        ("a once-daily dose of 20 mg", "day", "once-daily"),
        ("a twice-daily dose of 20 mg", None, "twice-daily"),
        ("a daily dose of 20 mg", "day", None),
    ],
)
def test_twenty_milligrams_twice_daily_are_not_a_days(
    read: Read, phrase: str, per: str | None, frequency: str | None
) -> None:
    (found,) = read_doses(read, f"Patients received testolol at {phrase}.")
    assert (found["amount"], found.get("per"), found.get("frequency")) == (20, per, frequency)


@pytest.mark.parametrize(
    ("sentence", "route"),
    [
        ("Patients received oral enalapril 20 mg.", "PO"),
        ("Patients received enalapril 20 mg orally.", "PO"),
        ("Patients received enalapril 20 mg p.o. in a trial.", "PO"),
        ("Patients received furosemide 40 mg IV.", "IV"),
        ("Patients received furosemide 40 mg i.v. or a dummy.", "IV"),
        ("Patients received an intravenous dose of 40 mg furosemide.", "IV"),
        ("Patients received sumatriptan 6 mg subcutaneously.", "SC"),
        ("Patients received inhaled fluticasone 250 mcg.", "inhaled"),
        ("Patients received morphine 0.1 mg intrathecally.", "intrathecal"),
        ("Patients with stage IV disease received enalapril 20 mg.", None),
        ("Patients received enalapril 20 mg and oral aspirin.", None),
    ],
)
def test_the_route_stands_with_the_drug_or_the_amount(
    read: Read, sentence: str, route: str | None
) -> None:
    assert [d.get("route") for d in read_doses(read, sentence)] == [route]


@pytest.mark.parametrize(
    ("phrase", "days"),
    [
        ("20 mg daily for 14 days", 14),
        ("20 mg twice daily for 2 weeks", 14),
        ("20 mg daily for 6 weeks", 42),
        ("20 mg daily for 7 to 10 days", (7, 10)),
        ("20 mg daily", None),
    ],
)
def test_weeks_are_so_many_days(read: Read, phrase: str, days: Any) -> None:
    (found,) = read_doses(read, f"Patients received testolol at {phrase}.")
    assert found.get("duration_days") == days


@pytest.mark.parametrize(
    ("sentence", "drug"),
    [
        ("Patients received enalapril 20 mg.", "enalapril"),
        ("Patients received enalapril (20 mg once daily).", "enalapril"),
        ("Patients received 20 mg of enalapril.", "enalapril"),
        ("Patients received 20 mg oral enalapril.", "enalapril"),
        ("Patients received a 20-mg dose of enalapril.", "enalapril"),
        ("Patients received aspirin at a dose of 100 mg.", "aspirin"),
        ("Patients received oral prednisone, 20 mg daily.", "prednisone"),
        ("Patients received XB-417 20 mg.", "XB-417"),
        ("Patients received Testolan 20 mg.", "Testolan"),
        ("Patients received 20 mg of testolan.", "testolan"),
        ("Patients received IVIg 400 mg/kg.", "Immunoglobulin"),
    ],
)
def test_a_drug_in_no_list_has_its_printed_name(read: Read, sentence: str, drug: str) -> None:
    assert [d["drug"] for d in read_doses(read, sentence)] == [drug]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "Arms had 1) 0.25 mg digoxin, 2) 240 mg diltiazem, or 3) 50 mg atenolol.",
            [("digoxin", 0.25), ("diltiazem", 240), ("atenolol", 50)],
        ),
        (
            "Patients had omeprazole 20 mg, amoxicillin 1 g and metronidazole 400 mg.",
            [("omeprazole", 20), ("amoxicillin", 1), ("metronidazole", 400)],
        ),
        (
            "Tablets held 325 mg acetaminophen with 30 mg codeine.",
            [("acetaminophen", 325), ("codeine", 30)],
        ),
        (
            "We compared a 40-mg dose of eletriptan and the 2.5-mg dose of naratriptan.",
            [("eletriptan", 40), ("naratriptan", 2.5)],
        ),
    ],
)
def test_each_of_several_drugs_has_its_dose(
    read: Read, sentence: str, expected: list[tuple[str, float]]
) -> None:
    assert [(d["drug"], d["amount"]) for d in read_doses(read, sentence)] == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Fasting glucose on enalapril was 126 mg/dL.",
        "Fasting glucose on enalapril was 7 mmol/L.",
        "Creatinine on enalapril was 88 µmol l-1.",
        "Serum levels of enalapril were 30 ng/ml.",
        "Insulin was 8 mIU/L and 12 U/ml.",
        "Enalapril lowered protein excretion by 250 mg per day.",
        "Proteinuria of 500 mg was seen in all.",
        "Birth weight was 3,266 g with enalapril.",
        "The left ventricular mass index fell from 127 to 117 g/m2 on enalapril.",
        "Morphine consumption after surgery was 30 mg in the control group.",
        "Daily morphine doses differed (MD 4.5 mg, 95% CI 3 to 6).",
        "Patients who took more than 20 mg of prednisone were left out.",
        "Patients who took < 20 mg of prednisone were left out.",
        "Prednisone was tapered by 5 mg every week.",
        "A gel of 10 mg/g was used.",
        "A 5% ointment was used for 6 weeks.",
        "Patients had 60 Gy in 30 fractions.",
        "Filtration was 80 mL/min on enalapril.",
        "Systolic pressure fell by 12 mm Hg on enalapril.",
        "Patients had plasma exchange of 250 mL.",
    ],
)
def test_what_is_no_dose_of_a_drug(read: Read, sentence: str) -> None:
    assert read_doses(read, sentence) == []


def test_a_diluent_is_no_dose(read: Read) -> None:
    found = amounts(read, "Patients had methylprednisolone 0.5 g in 250 mL saline per day.")
    assert found == [(0.5, "g")]


def test_a_dose_said_again_is_one_dose_but_two_arms_have_two(read: Read) -> None:
    once = "Patients received enalapril 20 mg."
    arms = "Arms had enalapril 20 mg plus aspirin 100 mg, or enalapril 20 mg alone."
    assert len(read_doses(read, f"{once} Cough was rare with enalapril 20 mg.")) == 1
    assert [d["drug"] for d in read_doses(read, arms)] == ["enalapril", "aspirin", "enalapril"]


def test_an_arm_named_by_a_dose_is_no_new_dose(read: Read) -> None:
    sentence = "Patients had enalapril 10 or 20 mg daily. Cough was rare in the 10 mg group."
    assert [d["amount"] for d in read_doses(read, sentence)] == [10, 20]


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        ("Patients received metronidazole 400 g twice daily.", "400 g of metronidazole"),
        ("Patients received IVIg 40 g/kg daily for 5 days.", "40 g/kg of Immunoglobulin"),
        ("Patients received IVIg 2 g/kg daily for 5 days.", "10 g/kg a course"),
        ("Patients received testolol 900000 mg.", "900000 mg of"),
    ],
)
def test_an_implausible_dose_stays_and_is_a_problem(
    read: Read, sentence: str, problem: str
) -> None:
    study = read(sentence, TITLE)
    (message,) = [p.message for p in study.problems if p.code == "implausible_dose"]
    assert problem in message
    assert len(study.doses) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Patients received metronidazole 400 mg twice daily.",
        "Patients received IVIg 0.4 g/kg daily for 5 days.",
        "Patients received testolol 900 mg.",
    ],
)
def test_a_usual_dose_is_no_problem(read: Read, sentence: str) -> None:
    assert [p for p in read(sentence, TITLE).problems if p.code == "implausible_dose"] == []
