"""Writes what moved as an Atom feed (RFC 4287) with one entry an update."""

from __future__ import annotations

import hashlib
from xml.sax.saxutils import escape

from pipeline.report.data import ReportData
from pipeline.report.plain import visible
from pipeline.report.update_data import pooled_text
from pipeline.schema import Movement, QuestionMove


def atom_feed(moved: Movement, data: ReportData, *, now: str) -> str:
    """Return the feed of one update.

    Parameters
    ----------
    moved : Movement
    data : ReportData
        Title, version, and how each measure is shown.
    now : str
        ISO 8601 time with its offset.
    """
    review = hashlib.sha256(data.title.encode(errors="replace")).hexdigest()[:16]
    entry = (
        "  <entry>\n"
        f"    <id>urn:evipool:run:{_text(moved.after_run)}</id>\n"
        f"    <title>{_text(headline(moved))}</title>\n"
        f"    <updated>{_text(now)}</updated>\n"
        '    <link rel="alternate" type="text/html" href="update.html"/>\n'
        f'    <content type="text">{_text(chr(10).join(lines(moved, data)))}</content>\n'
        "  </entry>\n"
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
        f"  <id>urn:evipool:review:{review}</id>\n"
        f"  <title>{_text(data.title)}</title>\n"
        f"  <updated>{_text(now)}</updated>\n"
        f'  <generator version="{_text(data.version)}">Evipool</generator>\n'
        "  <author><name>Evipool</name></author>\n"
        f"{entry}</feed>\n"
    )


def headline(moved: Movement) -> str:
    """Return the update in one sentence."""
    if moved.raised:
        return f"Conclusion changed: {', '.join(q.title for q in moved.raised)}"
    if moved.nothing:
        return f"Nothing new since {moved.before_date}"
    new = sum(c.kind == "new" for c in moved.records)
    estimates = sum(q.moved for q in moved.questions)
    other = len(moved.records) - new
    return (
        f"{new} new and {other} changed records; {estimates} of {len(moved.questions)} pools moved"
    )


def lines(moved: Movement, data: ReportData) -> list[str]:
    """Return what moved, a line a question and a record."""
    told = [_question(q, data) for q in moved.questions if q.moved]
    records = [f"{c.slab} ({c.record_id}): {c.kind}; {'; '.join(c.causes)}" for c in moved.records]
    return [*told, *records] or ["No record came, changed or left; the estimates stand."]


def _question(move: QuestionMove, data: ReportData) -> str:
    """A question before and after."""
    view = data.measures[move.measure]
    before, after = pooled_text(move.before, view), pooled_text(move.after, view)
    return f"{move.title}: {before} (k = {move.k_before}) -> {after} (k = {move.k_after})"


def _text(text: str) -> str:
    """Text for XML: escaped, its control characters visible."""
    return escape(visible(text), {'"': "&quot;"})
