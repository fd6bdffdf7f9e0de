"""A report's data, built by hand from schema values.

`bcg` is the BCG vaccine data of Colditz et al. (1994, JAMA 271:698) with the results that
metafor's documentation prints for them (``?dat.bcg``, ``?rma.uni``, Viechtbauer 2010, J Stat Softw
36(3)). All other studies are invented; they are pooled by the closed forms of the equal-effects
model (Borenstein et al. 2009, *Introduction to Meta-Analysis*, eqs 11.2-11.10).
"""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt
from statistics import NormalDist

import pytest
from scipy.stats import chi2

from pipeline.report.data import MeasureView, ReportData
from pipeline.schema import (
    Arm,
    Dose,
    EffectSize,
    Extractor,
    Flow,
    NotPooled,
    Outcome,
    PooledEstimate,
    Problem,
    QuestionResult,
    Quote,
    Reading,
    Record,
    Screening,
    Search,
    Section,
    Sensitivity,
    Study,
    Subgroup,
    SubgroupTest,
    Timepoint,
)

NORMAL = NormalDist()
HOSTILE = "<script>alert('x')</script> \"quoted\" \u202eevil\u202c & <img src=x onerror=alert(1)>"

MEASURES = {
    "RR": MeasureView(
        "RR",
        "Risk ratio",
        "Risk ratio (log scale)",
        1.0,
        True,
        "exp",
        groups=("Experimental", "Control"),
    ),
    "PLO": MeasureView("PLO", "Proportion", "Proportion, %", back="expit", percent=True),
    "MC": MeasureView("MC", "Mean change", "Mean change", 0.0),
}

#: Colditz et al. (1994): trial, year, cases and persons vaccinated, cases and persons not
#: vaccinated, as in metafor's dat.bcg.
BCG = (
    ("Aronson", 1948, 4, 123, 11, 139),
    ("Ferguson & Simes", 1949, 6, 306, 29, 303),
    ("Rosenthal et al", 1960, 3, 231, 11, 220),
    ("Hart & Sutherland", 1977, 62, 13598, 248, 12867),
    ("Frimodt-Moller et al", 1973, 33, 5069, 47, 5808),
    ("Stein & Aronson", 1953, 180, 1541, 372, 1451),
    ("Vandiviere et al", 1973, 8, 2545, 10, 629),
    ("TPT Madras", 1980, 505, 88391, 499, 88391),
    ("Coetzee & Berjak", 1968, 29, 7499, 45, 7277),
    ("Rosenthal et al", 1961, 17, 1716, 65, 1665),
    ("Comstock et al", 1974, 186, 50634, 141, 27338),
    ("Comstock & Webster", 1969, 5, 2498, 3, 2341),
    ("Comstock et al", 1976, 27, 16913, 29, 17854),
)


def risk_ratio(name: str, a: int, n1: int, c: int, n2: int, **more: object) -> EffectSize:
    """A study of a binary outcome; 1/2 is added to all cells where one is 0."""
    add = 0.5 if 0 in (a, n1 - a, c, n2 - c) else 0.0
    e1, m1, e2, m2 = a + add, n1 + 2 * add, c + add, n2 + 2 * add
    columns = (
        ("Events 1", str(a)),
        ("Total 1", str(n1)),
        ("Events 2", str(c)),
        ("Total 2", str(n2)),
    )
    notes = (f"{name}: 1/2 added to each cell, as one is 0",) if add else ()
    return EffectSize(
        record_id="r-" + name,
        slab=name,
        measure="RR",
        yi=log(e1 / m1) - log(e2 / m2),
        vi=1 / e1 - 1 / m1 + 1 / e2 - 1 / m2,
        ni=n1 + n2,
        columns=columns,
        recovered=notes,
        **more,  # type: ignore[arg-type]
    )


def equal_effects(measure: str, effects: tuple[EffectSize, ...]) -> PooledEstimate:
    """Pool by inverse variance (Borenstein et al. 2009, eqs 11.2-11.10)."""
    w = [1 / e.vi for e in effects]
    mean = sum(wi * e.yi for wi, e in zip(w, effects, strict=True)) / sum(w)
    se = sqrt(1 / sum(w))
    half = 1.959963984540054 * se
    q = sum(wi * (e.yi - mean) ** 2 for wi, e in zip(w, effects, strict=True))
    df = len(effects) - 1
    i2 = max(0.0, 100 * (q - df) / q)
    return PooledEstimate(
        measure=measure,
        method="EE",
        test="z",
        level=0.95,
        k=len(effects),
        n=sum(e.ni or 0 for e in effects),
        estimate=mean,
        se=se,
        ci_lb=mean - half,
        ci_ub=mean + half,
        stat=mean / se,
        df=None,
        pval=2 * NORMAL.cdf(-abs(mean / se)),
        ci_adhoc_lb=mean - half,
        ci_adhoc_ub=mean + half,
        tau2=0.0,
        tau2_ci_lb=None,
        tau2_ci_ub=None,
        q=q,
        q_df=df,
        q_pval=float(chi2.sf(q, df)),
        i2=i2,
        i2_q=i2,
        h2=1.0,
        pi_lb=None,
        pi_ub=None,
        weights=tuple(100 * wi / sum(w) for wi in w),
    )


def bcg_result() -> QuestionResult:
    """metafor 4/5, ``rma(measure="RR", data=dat.bcg)``: REML, z; predict() for the PI."""
    effects = tuple(
        replace(risk_ratio(f"{name} {year}", *cells), reviewed=True) for name, year, *cells in BCG
    )
    w = [1 / (e.vi + 0.3132) for e in effects]
    pooled = PooledEstimate(
        measure="RR",
        method="REML",
        test="z",
        level=0.95,
        k=13,
        n=357347,
        estimate=-0.7145,
        se=0.1798,
        ci_lb=-1.0669,
        ci_ub=-0.3622,
        stat=-3.9744,
        df=None,
        pval=0.0000706,
        ci_adhoc_lb=-1.0669,
        ci_adhoc_ub=-0.3622,
        tau2=0.3132,
        tau2_ci_lb=0.1197,
        tau2_ci_ub=1.1115,
        q=152.2330,
        q_df=12,
        q_pval=2e-26,
        i2=92.22,
        i2_q=92.12,
        h2=12.86,
        pi_lb=log(0.1546),
        pi_ub=log(1.5490),
        weights=tuple(100 * wi / sum(w) for wi in w),
    )
    return QuestionResult("bcg", "Tuberculosis after BCG vaccination", "RR", effects, (), pooled)


def record_of(name: str, pmid: str, methods: str, results: str, title: str = "") -> Record:
    """An invented record."""
    return Record(
        record_id=f"pmid{pmid}",
        title=title
        or f"Intravenous immunoglobulin in neuropathy: the {name.split(maxsplit=1)[0]} trial",
        sections=(Section(methods, "METHODS", "METHODS"), Section(results, "RESULTS", "RESULTS")),
        pmid=pmid,
        doi=f"10.1000/evipool.{pmid}(a)<b>",
        year=int(name.split()[1]),
        journal="J Invented Neurol",
        authors=(f"{name.split(maxsplit=1)[0]}, A", "Baker, B"),
    )


def phrase(record: Record, text: str) -> Quote:
    """The quote of a phrase that stands in a record."""
    start = record.text.index(text)
    return record.quote(start, start + len(text))


def study_of(record: Record, condition: str, n1: int, n2: int, *, a: int, c: int) -> Study:
    """What the extractor reads from a record of `parallel_record`."""
    arms, events = (
        phrase(record, f"{n1} to IVIg and {n2} to placebo"),
        phrase(record, f"{a} of {n1} responded to IVIg and {c} of {n2} to placebo"),
    )
    dose = phrase(record, "2 g/kg over 5 days")
    return Study(
        record_id=record.record_id,
        design=Reading("rct_parallel", phrase(record, "randomised")),
        pmids=(record.pmid or "",),
        doi=record.doi,
        slab=record.slab,
        year=record.year,
        comparison_class=Reading("Ig vs placebo", derived="arms"),
        condition=Reading(condition, phrase(record, condition)),
        n_total=Reading(n1 + n2, None, "sum of arms"),
        arms=(
            Arm("IVIg", "intervention", "IVIg", Reading(n1, arms), arms),
            Arm("placebo", "comparator", "placebo", Reading(n2, arms), arms),
        ),
        doses=(Dose("IVIg", Reading(2.0, dose), "g/kg", "course", Reading(5.0, dose), quote=dose),),
        outcomes=(
            Outcome(
                "responders",
                "count",
                "IVIg vs placebo",
                timepoint=Timepoint("24 weeks", 168.0, phrase(record, "24 weeks")),
                n=Reading(n1, events),
                events=Reading(a, events),
                comparator_n=Reading(n2, events),
                comparator_events=Reading(c, events),
                direction=Reading("improved", events),
                quote=events,
            ),
        ),
        problems=(Problem("n_mismatch", "The arms' sum differs from the n of the title.", arms),),
        extractor=Extractor("rules", "0.1.0", "ab" * 32),
    )


def parallel_record(
    name: str, pmid: str, n1: int, n2: int, *, a: int, c: int, where: str
) -> Record:
    """The abstract of an invented parallel trial."""
    return record_of(
        name,
        pmid,
        f"In this double-blind trial {n1 + n2} patients with {where} were randomised, {n1} to IVIg "
        f"and {n2} to placebo. Patients received 2 g/kg over 5 days.",
        f"At 24 weeks {a} of {n1} responded to IVIg and {c} of {n2} to placebo (p < 0.05).",
    )


TRIALS = (
    ("Abel 2001", "11111111", 30, 31, 18, 8, "CIDP"),
    ("Brandt 2004", "22222222", 59, 58, 32, 12, "CIDP"),
    ("Çelik 2010", "33333333", 16, 15, 9, 0, "CIDP"),
    ("Dubois 2015", "44444444", 24, 25, 15, 9, "post-polio syndrome"),
)


def responders_result(records: dict[str, Record]) -> QuestionResult:
    """Four trials in two subgroups, one with a zero cell, two unreviewed."""
    effects = tuple(
        replace(
            risk_ratio(name, a, n1, c, n2, subgroup=where, reviewed=i < 2),
            record_id=f"pmid{pmid}",
            outcome="responders",
            quotes=(phrase(records[pmid], f"{a} of {n1} responded to IVIg and {c} of {n2}"),),
        )
        for i, (name, pmid, n1, n2, a, c, where) in enumerate(TRIALS)
    )
    pooled = equal_effects("RR", effects)
    cidp = equal_effects("RR", effects[:3])
    return QuestionResult(
        "responders",
        "Responders, IVIg against placebo, by condition",
        "RR",
        effects,
        (
            NotPooled(
                "pmid55555555",
                "Evans 2018",
                "responders",
                "the number of responders per arm is not printed",
                "about half of the patients",
                phrase(records["55555555"], "about half of the patients"),
            ),
        ),
        replace(pooled, pi_lb=pooled.ci_lb - 0.2, pi_ub=pooled.ci_ub + 0.2),
        subgroups=(
            Subgroup("CIDP", (0, 1, 2), cidp),
            Subgroup("post-polio syndrome", (3,), None),
        ),
        subgroup_test=SubgroupTest(1.92, 1, 0.166),
        sensitivity=(
            Sensitivity("Printed events only", cidp),
            Sensitivity("Leave out Abel 2001", None, "one study cannot be pooled"),
        ),
        assumptions=("1/2 is added to all four cells of a study with a zero cell.",),
        warnings=("k = 4: the heterogeneity is estimated imprecisely.",),
    )


def proportions_result() -> QuestionResult:
    """Five single-arm studies."""
    rows = (
        ("Fox 1999", 12, 20),
        ("Gray 2003", 5, 11),
        ("Hill 2008", 30, 40),
        ("Ives 2012", 7, 8),
        ("Jung 2020", 16, 33),
    )
    effects = tuple(
        EffectSize(
            "r-" + name,
            name,
            "PLO",
            log(x / (n - x)),
            1 / x + 1 / (n - x),
            n,
            columns=(("Events", str(x)), ("Total", str(n))),
        )
        for name, x, n in rows
    )
    return QuestionResult(
        "single_arm",
        "Responders in single-arm studies",
        "PLO",
        effects,
        (),
        equal_effects("PLO", effects),
    )


def changes_result() -> QuestionResult:
    """Three studies of pain before and after, on a 0-10 scale."""
    rows = (("Kahn 2002", -3.2, 1.9, 12), ("Lund 2011", -1.1, 2.4, 25), ("Mora 2019", -2.0, 2.2, 9))
    effects = tuple(
        EffectSize(
            "r-" + name,
            name,
            "MC",
            mean,
            sd**2 / n,
            n,
            columns=(("Mean change", str(mean)), ("SD of change", str(sd)), ("Total", str(n))),
            recovered=(f"{name}: SD of the change from an assumed r = 0.5",),
        )
        for name, mean, sd, n in rows
    )
    return QuestionResult(
        "pain",
        "Pain before and after IVIg, 0-10 scale",
        "MC",
        effects,
        (),
        equal_effects("MC", effects),
    )


def single_result(responders: QuestionResult) -> QuestionResult:
    """One study: shown, not pooled."""
    return QuestionResult(
        "one_study",
        "Responders in post-polio syndrome",
        "RR",
        responders.effects[3:],
        (),
        None,
        reason="one study only; a pool needs two",
    )


def empty_result(responders: QuestionResult) -> QuestionResult:
    """No study that can be pooled."""
    return QuestionResult(
        "no_study",
        "Strength in multifocal motor neuropathy",
        "RR",
        (),
        responders.not_pooled,
        None,
        reason="no study prints the numbers that the risk ratio needs",
    )


def make_data(style: str = "revman") -> ReportData:
    """A whole report's data."""
    records = {
        pmid: parallel_record(name, pmid, n1, n2, a=a, c=c, where=where)
        for name, pmid, n1, n2, a, c, where in TRIALS
    }
    records["55555555"] = record_of(
        "Evans 2018",
        "55555555",
        "Patients with CIDP were randomised.",
        "Response was seen in about half of the patients.",
    )
    records["66666666"] = record_of("Frost 2019", "66666666", "x", "y", title=HOSTILE)
    responders = responders_result(records)
    studies = tuple(
        study_of(records[pmid], where, n1, n2, a=a, c=c) for _, pmid, n1, n2, a, c, where in TRIALS
    )
    screenings = (
        *(Screening(s.record_id, True, "included", "meets every rule") for s in studies),
        Screening("pmid55555555", True, "included", "meets every rule"),
        Screening("pmid66666666", False, "design", "the design is not eligible: =animal"),
    )
    return ReportData(
        title="Intravenous immunoglobulin for neuropathies",
        search=Search(
            "s1",
            "demo",
            'ivig[tiab] AND "CIDP"[tiab] <b>',
            "2026-11-20",
            7,
            tuple(r.record_id for r in records.values()),
            'ivig[tiab] AND "CIDP"[tiab]',
            ("Phrase not found: <b>",),
        ),
        flow=Flow(7, 1, 6, (("design not eligible", 1),), 5, 4),
        version="0.1.0",
        style=style,
        records=tuple(records.values()),
        studies=studies,
        screenings=screenings,
        results=(
            responders,
            bcg_result(),
            proportions_result(),
            changes_result(),
            single_result(responders),
            empty_result(responders),
        ),
        measures=MEASURES,
        favours={"responders": ("placebo", "IVIg"), "pain": ("IVIg", "no change")},
        problems=(Problem("xml", "Record 7 could not be read: <broken>."),),
        assumptions=("r = 0.5 where a paper prints no correlation.",),
        reviewed=frozenset({"pmid11111111", "pmid22222222"}),
    )


@pytest.fixture(scope="session")
def data() -> ReportData:
    """A whole report's data."""
    return make_data()


@pytest.fixture(scope="session")
def results(data: ReportData) -> dict[str, QuestionResult]:
    """The questions by id."""
    return {r.question_id: r for r in data.results}
