"""The tables of a report: studies, estimates, checks, what stayed out, readings, screening."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.report.csv_table import Cell, CsvTable
from pipeline.report.data import MeasureView, ReportData
from pipeline.report.dose import dose_csv
from pipeline.report.forest_rows import data_headers
from pipeline.report.plain import pubmed_url
from pipeline.report.readings import read_values
from pipeline.report.wording import study_interval
from pipeline.schema import EffectSize, PooledEstimate, QuestionResult, Quote


def all_tables(data: ReportData) -> list[CsvTable]:
    """Return every table of a report, in a fixed order."""
    curves = dose_csv(data)
    return [
        *(study_table(data, result) for result in data.results),
        estimates_table(data),
        checks_table(data),
        not_pooled_table(data),
        extraction_table(data),
        screening_table(data),
        *([] if curves is None else [curves]),
    ]


def study_table(data: ReportData, result: QuestionResult) -> CsvTable:
    """Return the studies of a question with their data, effects and weights.

    `yi`, `vi` are on the scale of analysis; `effect` and its interval on the natural one,
    proportions in percent; `weight` in percent.
    """
    headers = data_headers(result)
    before = ("study", "record_id", "pmid", "link", "subgroup", "outcome")
    after = ("yi", "vi", "ni", "effect", "ci_lb", "ci_ub", "weight", "recovered")
    counted = ("numbers", "recovered_numbers", "reviewed")
    measure = data.measures[result.measure]
    rows = tuple(_study_row(data, result, i, measure, headers) for i in range(len(result.effects)))
    header = (*before, *headers, *after, *counted, "quotes")
    return CsvTable(f"studies_{result.question_id}", header, rows)


def _study_row(
    data: ReportData, result: QuestionResult, i: int, measure: MeasureView, headers: Sequence[str]
) -> tuple[Cell, ...]:
    """One study of a question."""
    effect, pooled = result.effects[i], result.pooled
    pmid, cells = _pmid(data, effect.record_id), dict(effect.columns)
    lo, hi = study_interval(effect, pooled.level if pooled else 0.95)
    return (
        effect.slab,
        effect.record_id,
        pmid,
        pubmed_url(pmid),
        effect.subgroup,
        effect.outcome,
        *(cells.get(h) for h in headers),
        effect.yi,
        effect.vi,
        effect.ni,
        measure.natural(effect.yi),
        measure.natural(lo),
        measure.natural(hi),
        pooled.weight(i) if pooled else None,
        "; ".join(effect.recovered),
        effect.numbers,
        len(effect.unprinted),
        effect.reviewed,
        _joined(effect.quotes),
    )


def _pmid(data: ReportData, record_id: str) -> str | None:
    """The PMID of a record."""
    record = data.record(record_id)
    return record.pmid if record else None


def _joined(quotes: Iterable[Quote]) -> str:
    """Quotes in one cell, each once."""
    return " | ".join(dict.fromkeys(q.text for q in quotes))


#: Fields of a pooled estimate that a row of estimates.csv holds, on the scale of analysis.
_POOLED = (
    "method",
    "test",
    "level",
    "k",
    "n",
    "estimate",
    "se",
    "ci_lb",
    "ci_ub",
    "stat",
    "df",
    "pval",
    "ci_adhoc_lb",
    "ci_adhoc_ub",
    "tau2",
    "tau2_ci_lb",
    "tau2_ci_ub",
    "q",
    "q_df",
    "q_pval",
    "i2",
    "i2_q",
    "h2",
    "pi_lb",
    "pi_ub",
)
_NATURAL = ("estimate", "ci_lb", "ci_ub", "pi_lb", "pi_ub")


def estimates_table(data: ReportData) -> CsvTable:
    """Return one row for each question, subgroup and sensitivity analysis.

    The columns that begin with "natural" are on the natural scale, proportions in percent; the
    others on the scale of analysis.
    """
    header = (
        "question",
        "analysis",
        "label",
        "measure",
        *_POOLED,
        *(f"natural_{n}" for n in _NATURAL),
        "unreviewed",
        "numbers",
        "recovered_numbers",
        "note",
    )
    return CsvTable(
        "estimates", header, tuple(r for q in data.results for r in _estimates(data, q))
    )


def _estimates(data: ReportData, result: QuestionResult) -> list[tuple[Cell, ...]]:
    """The rows of a question."""
    every = result.effects
    analyses: list[tuple[str, str, PooledEstimate | None, tuple[EffectSize, ...], str]] = [
        ("main", result.title, result.pooled, every, result.reason)
    ]
    for group in result.subgroups:
        members = tuple(every[i] for i in group.members)
        note = "" if group.pooled else group.reason or f"not pooled: k = {len(members)}"
        analyses.append(("subgroup", group.label, group.pooled, members, note))
    for s in result.sensitivity:
        analyses.append(("sensitivity", s.label, s.pooled, every, s.reason))
    measure = data.measures[result.measure]
    return [
        (
            result.question_id,
            kind,
            label,
            result.measure,
            *_pooled_cells(pooled, measure),
            *((None, None, None) if kind == "sensitivity" else _sums_of(effects)),
            note,
        )
        for kind, label, pooled, effects, note in analyses
    ]


def _sums_of(effects: Sequence[EffectSize]) -> tuple[int, int, int]:
    """Unreviewed studies, numbers, and those of them that are not printed."""
    return (
        sum(not e.reviewed for e in effects),
        sum(e.numbers for e in effects),
        sum(len(e.unprinted) for e in effects),
    )


def _pooled_cells(pooled: PooledEstimate | None, measure: MeasureView) -> list[Cell]:
    """An estimate's fields, then its values on the natural scale."""
    if pooled is None:
        return [None] * (len(_POOLED) + len(_NATURAL))
    values = [getattr(pooled, name) for name in _NATURAL]
    natural = [None if v is None else measure.natural(v) for v in values]
    return [*(getattr(pooled, name) for name in _POOLED), *natural]


_TEST = ("stat", "df", "pval", "estimate", "ci_lb", "ci_ub")
_INFLUENCE = ("rstudent", "dffits", "cook_d", "cov_r", "hat", "dfbs", "is_infl")


def checks_table(data: ReportData) -> CsvTable:
    """Return the checks of all pools: tests of small-study effects, influence, and notes.

    Estimates are on the scale of analysis.
    """
    header = ("question", "check", "label", *_TEST, *_INFLUENCE, "note")
    rows: list[tuple[Cell, ...]] = []
    for result in data.results:
        start, no_test, no_study = result.question_id, [None] * len(_TEST), [None] * len(_INFLUENCE)
        for test in result.small_studies:
            values = (getattr(test, name) for name in _TEST)
            rows.append((start, "small-study effects", test.name, *values, *no_study, test.note))
        for one in result.influence:
            values = (getattr(one, name) for name in _INFLUENCE)
            rows.append((start, "influence", one.slab, *no_test, *values, None))
        for line in result.check_notes:
            rows.append((start, "note", None, *no_test, *no_study, line))
    return CsvTable("checks", header, tuple(rows))


def not_pooled_table(data: ReportData) -> CsvTable:
    """Return the studies that speak to a question and stayed out of its pool."""
    header = ("question", "study", "record_id", "pmid", "outcome", "reason", "printed", "quote")
    rows = tuple(
        (
            result.question_id,
            n.slab,
            n.record_id,
            _pmid(data, n.record_id),
            n.outcome,
            n.reason,
            n.printed,
            n.quote.text if n.quote else None,
        )
        for result in data.results
        for n in result.not_pooled
    )
    return CsvTable("not_pooled", header, rows)


def extraction_table(data: ReportData) -> CsvTable:
    """Return one row for each value that was read, with the phrase and the rule."""
    header = (
        "record_id",
        "pmid",
        "study",
        "field",
        "value",
        "quote",
        "quote_record",
        "start",
        "end",
        "derived",
        "reviewed",
    )
    rows = tuple(
        (
            study.record_id,
            _pmid(data, study.record_id),
            study.slab,
            v.path,
            v.value,
            *_quote_cells(v.quote),
            v.derived,
            bool(v.reviewed) or study.record_id in data.reviewed,
        )
        for study in data.studies
        for v in read_values(study)
    )
    return CsvTable("extraction", header, rows)


def _quote_cells(quote: Quote | None) -> tuple[Cell, ...]:
    """A quote's text, record, start and end."""
    return (quote.text, quote.record_id, quote.start, quote.end) if quote else (None,) * 4


def screening_table(data: ReportData) -> CsvTable:
    """Return each record's screening with its reason."""
    header = ("record_id", "pmid", "year", "title", "include", "code", "reason", "quote")
    rows = []
    for s in data.screenings:
        record = data.record(s.record_id)
        about = (record.pmid, record.year, record.title) if record else (None, None, None)
        quote = s.quote.text if s.quote else None
        rows.append((s.record_id, *about, s.include, s.code, s.reason, quote))
    return CsvTable("screening", header, tuple(rows))
