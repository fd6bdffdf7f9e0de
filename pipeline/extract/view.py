"""Shows in displaCy, spaCy's viewer, what was read: each quote under its field's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from spacy.tokens import Doc

from pipeline.extract.assemble import assemble
from pipeline.extract.extensions import need, require
from pipeline.schema import Extractor, Quote, Reading, Study, Timepoint

_TOKEN = re.compile(r"\w+|[^\w\s]")


def displacy_spans(source: Doc | Study, text: str = "", *, title: str = "") -> dict[str, Any]:
    """Return what ``displacy.render(..., manual=True)`` takes, for style "span" and style "ent".

    Parameters
    ----------
    source : Doc or Study
        A Doc that went through all of Evipool's components, or what was read from it.
    text : str
        Into which the quotes point; needed with a Study, ignored with a Doc.
    title : str
        What displaCy prints above.

    Returns
    -------
    dict
        ``text`` and ``title``; ``tokens`` and ``spans``, every quote, for style "span"; ``ents``,
        which displaCy cannot draw over each other, for style "ent": the shortest quote of each
        place ("0.4 g" before the whole dose).

    Raises
    ------
    PipelineError
        If a component has not run on the Doc.
    """
    if isinstance(source, Doc):
        need(source, "evipool_outcomes")
        require(source, "displacy_spans", ["doc._.outcomes"])
        text, study = source.text, assemble(source, Extractor("", "", ""))
    else:
        study = source
    labelled = [(path, q) for path, q in quoted(study) if text[q.start : q.end] == q.text]
    places = [m.span() for m in _TOKEN.finditer(text)]
    spans = [_span(path, q, places) for path, q in labelled if q.text.strip()]
    return {
        "text": text,
        "title": title or None,
        "tokens": [text[start:end] for start, end in places],
        "spans": spans,
        "ents": _apart(labelled),
    }


def quoted(study: Study) -> Iterator[tuple[str, Quote]]:
    """Yield the quotes of a study with their fields' names ("outcomes.value"), in its order."""
    yield from _quotes("", study)


def _quotes(path: str, value: Any) -> Iterator[tuple[str, Quote]]:
    """The quotes under a field; a problem's is named by its code."""
    if isinstance(value, tuple):
        for item in value:
            yield from _quotes(path, item)
    elif isinstance(value, Reading | Timepoint):
        if value.quote is not None:
            yield path, value.quote
    elif is_dataclass(value) and not isinstance(value, Extractor | Quote):
        for f in fields(value):
            part = getattr(value, f.name)
            name = f"{path}.{f.name}" if path else f.name
            if isinstance(part, Quote):
                yield _whole(path, value), part
            else:
                yield from _quotes(name, part)


def _whole(path: str, value: Any) -> str:
    """The name of a whole arm, dose, outcome or problem: "arm", "dose" ..."""
    code = getattr(value, "code", "")
    return f"problem: {code}" if code else path.removesuffix("s")


def _span(path: str, quote: Quote, places: list[tuple[int, int]]) -> dict[str, Any]:
    """A quote by the tokens that it touches."""
    touched = [
        i for i, (start, end) in enumerate(places) if start < quote.end and quote.start < end
    ]
    return {"start_token": touched[0], "end_token": touched[-1] + 1, "label": path}


def _apart(labelled: list[tuple[str, Quote]]) -> list[dict[str, Any]]:
    """The shortest quotes that do not lie over each other, in the order of the text."""
    kept: list[tuple[str, Quote]] = []
    for path, q in sorted(labelled, key=lambda pair: pair[1].end - pair[1].start):
        if q.end > q.start and all(q.end <= k.start or k.end <= q.start for _, k in kept):
            kept.append((path, q))
    kept.sort(key=lambda pair: pair[1].start)
    return [{"start": q.start, "end": q.end, "label": path} for path, q in kept]
