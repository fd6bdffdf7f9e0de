"""Finds a quote again in a text that has changed since."""

from __future__ import annotations

from dataclasses import replace

from pipeline.schema import Quote


def anchored(quote: Quote, text: str) -> Quote | None:
    """Return a quote where it stands in a text.

    Parameters
    ----------
    quote : Quote
        As it was chosen, perhaps in an older version of the text.
    text : str
        The text of the quote's record.

    Returns
    -------
    Quote or None
        At another place if it stands there, and only there; None if it is gone or ambiguous.
    """
    if text[quote.start : quote.end] == quote.text:
        return quote
    start = text.find(quote.text) if quote.text else -1
    if start < 0 or text.find(quote.text, start + 1) >= 0:
        return None
    return replace(quote, start=start, end=start + len(quote.text))
