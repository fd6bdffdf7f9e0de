"""Hypothesis strategies for schema values: any that the classes allow, with any characters."""

from __future__ import annotations

from typing import Any, get_type_hints

from hypothesis import strategies as st

from pipeline.schema import (
    DESIGNS,
    OUTCOME_TYPES,
    ROLES,
    Arm,
    Author,
    Chemical,
    Correction,
    Dates,
    Dose,
    EffectSize,
    Extractor,
    Grant,
    MeshHeading,
    NotPooled,
    OtherAbstract,
    Outcome,
    PooledEstimate,
    Problem,
    QuestionResult,
    Quote,
    Reading,
    Record,
    Section,
    Sensitivity,
    Study,
    Subgroup,
    SubgroupTest,
    Timepoint,
)

#: Letters with accents apart (e + U+0301), a character beyond the BMP, signs of abstracts.
text = st.text(st.sampled_from("aZ 09é\u0301ß·–±≥𝛽🧪:\n\u2009"), max_size=12)
integers = st.integers(0, 10_000)
floats = st.floats(allow_nan=False, allow_infinity=False)
number = floats | st.tuples(floats, floats)


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Tuples of a few values."""
    return st.lists(strategy, max_size=3).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None, or a value."""
    return st.none() | strategy


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    phrase, start = draw(text), draw(integers)
    return Quote(draw(text), start, start + len(phrase), phrase)


def readings(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """None, a value read from a phrase, or a value that a named rule derived."""
    read = st.builds(Reading, value, quotes())
    derived = st.builds(Reading, value, st.none(), st.just("sum of arms"))
    return maybe(read | derived)


problems = st.builds(Problem, text, text, maybe(quotes()), text)
sections = some(st.builds(Section, text, text, text))
other_abstracts = some(st.builds(OtherAbstract, text, text, sections))
records = st.builds(
    Record,
    record_id=text,
    title=text,
    sections=sections,
    pmid=maybe(text),
    year=maybe(integers),
    authors=some(text),
    mesh=some(
        st.builds(
            MeshHeading,
            text,
            text,
            st.booleans(),
            some(text),
            some(text),
            some(text),
            automatic=st.booleans(),
        )
    ),
    corrections=some(st.builds(Correction, text, maybe(text), text, text)),
    version=integers,
    vernacular_title=text,
    other_abstracts=other_abstracts,
    plain_language_summaries=other_abstracts,
    byline=some(st.builds(Author, *[text] * 6)),
    publication_type_uis=some(text),
    chemicals=some(st.builds(Chemical, text, text, text)),
    keywords=some(text),
    dates=st.builds(Dates, *[text] * 8),
    grants=some(st.builds(Grant, *[text] * 4)),
)
arms = st.builds(
    Arm, text, st.sampled_from(ROLES), text, n=readings(integers), quote=maybe(quotes())
)
doses = st.builds(
    Dose,
    text,
    amount=readings(number),
    unit=maybe(text),
    duration_days=readings(number),
    frequency=readings(text),
    total_per_course_g_per_kg=readings(floats),
    quote=maybe(quotes()),
)
outcomes = st.builds(
    Outcome,
    text,
    st.sampled_from(OUTCOME_TYPES),
    text,
    scale=readings(text),
    timepoint=maybe(st.builds(Timepoint, text, maybe(number), maybe(quotes()))),
    value=readings(floats),
    iqr=readings(number),
    events=readings(integers),
    comparator_n=readings(integers),
    p_value=readings(text),
    quote=maybe(quotes()),
)
studies = st.builds(
    Study,
    text,
    st.builds(Reading, st.sampled_from(DESIGNS), quotes()),
    pmids=some(text),
    condition=readings(text),
    n_total=readings(integers),
    arms=some(arms),
    doses=some(doses),
    outcomes=some(outcomes),
    registry_ids=some(st.builds(Reading, text, quotes())),
    problems=some(problems),
    extractor=st.builds(Extractor, text, text, text),
)
effects = st.builds(
    EffectSize,
    text,
    text,
    text,
    floats,
    st.floats(1e-300, 1e300),
    ni=maybe(integers),
    columns=some(st.tuples(text, text)),
    recovered=some(text),
    quotes=some(quotes()),
    reviewed=st.booleans(),
)
BY_TYPE = {
    str: text,
    int: integers,
    float: floats,
    int | None: maybe(integers),
    float | None: maybe(floats),
    tuple[float, ...]: some(floats),
    tuple[str, ...]: some(text),
}
estimates = st.builds(
    PooledEstimate, **{name: BY_TYPE[kind] for name, kind in get_type_hints(PooledEstimate).items()}
)
results = st.builds(
    QuestionResult,
    text,
    text,
    text,
    some(effects),
    some(st.builds(NotPooled, text, text, text, text, text, maybe(quotes()))),
    maybe(estimates),
    text,
    some(st.builds(Subgroup, text, some(integers), maybe(estimates))),
    maybe(st.builds(SubgroupTest, floats, integers, floats)),
    some(st.builds(Sensitivity, text, maybe(estimates), text)),
    some(text),
    some(text),
)
