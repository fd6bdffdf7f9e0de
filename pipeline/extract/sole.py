"""Says whether a study of one arm is about that arm's treatment alone, by its title."""

from __future__ import annotations

from spacy.tokens import Doc

from pipeline.extract.lexicon import lexicon


def is_sole(doc: Doc) -> bool:
    """Return whether all patients of a study of one arm can be taken to have had its treatment.

    So where the title names the protocol's treatment and no other: "IVIg in CIDP". A series "of
    CIDP", or of "steroids and IVIg", has patients who had another. A record without a title, and
    one that does not name the protocol's treatment, is left as it is.
    """
    title, own = doc._.record.title, doc._.interventions
    if not own or not title:
        return True
    named = any(t.start < len(title) for t in own)
    return named and not is_with_another(doc, 0, len(title))


def is_with_another(doc: Doc, start: int, end: int) -> bool:
    """Return whether a stretch of the text names another active treatment."""
    listed = lexicon("treatments").find(doc._.source, start, end)
    return any(t.entry["class"] == "active" for t in listed)
