"""Shows records and values: addresses, warnings, values as they are read and typed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pipeline.report.plain import doi_url, pubmed_url, visible
from pipeline.schema import Quote, Record


def field_id(path: str) -> str:
    """Return the id of a field's element."""
    return f"f{hashlib.sha256(path.encode()).hexdigest()[:10]}"


def links(record: Record) -> tuple[tuple[str, str], ...]:
    """Return a record's addresses, from checked ids alone."""
    found = (("PubMed", pubmed_url(record.pmid)), ("DOI", doi_url(record.doi)))
    return tuple((name, address) for name, address in found if address)


def banners(record: Record) -> tuple[str, ...]:
    """Return what a reviewer must not miss about a record."""
    kinds = {c.ref_type for c in record.corrections}
    said = []
    if "RetractionIn" in kinds or "Retracted Publication" in record.publication_types:
        said.append("This publication was retracted.")
    if "ExpressionOfConcernIn" in kinds:
        said.append("There is an expression of concern about this publication.")
    if "ErratumIn" in kinds:
        said.append("This publication has an erratum.")
    return tuple(said)


def stands_in(record: Record, quote: Quote) -> bool:
    """Return whether a quote stands in the record as it is now."""
    own = quote.record_id == record.record_id
    return own and record.text[quote.start : quote.end] == quote.text


def shown(value: Any) -> str:
    """Return a value as the page shows it."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return " · ".join(shown(v) for v in value.values() if v is not None)
    if isinstance(value, list | tuple):
        return " to ".join(shown(v) for v in value)
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else repr(value)
    return visible(str(value))


def typed(value: Any) -> str:
    """Return a value as a person types it; a row's words as JSON, which the page takes apart."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return " to ".join(typed(v) for v in value)
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)
