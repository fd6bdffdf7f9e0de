"""Splits a text into tokens with spaCy's tokeniser, in a time that no text can stretch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc

#: No word of an abstract is longer; spaCy's time on one grows with the square of its length.
LONGEST_WORD = 500
#: spaCy keeps the tokens of so many words, of which it sees most again.
CACHED = 100_000
_LONG = re.compile(rf"\S{{{LONGEST_WORD}}}(?=\S)")


class Bounded:
    """spaCy's tokeniser for texts whose words may be of any length.

    spaCy keeps no more words of a text behind its first special case, and has one for a line
    break, which is the same token without it: it goes, else only words of titles would be kept.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        tokenizer.max_cache_size = CACHED
        tokenizer.rules = {k: v for k, v in tokenizer.rules.items() if not k.isspace()}

    def __call__(self, text: str) -> Doc:
        """Return the Doc of a text; a word of more than `LONGEST_WORD` characters is cut."""
        if not _LONG.search(text):
            doc: Doc = self.tokenizer(text)
            return doc
        tokens = [t for piece in _pieces(text) for t in self.tokenizer(piece)]
        words, spaces = [t.text for t in tokens], [bool(t.whitespace_) for t in tokens]
        return Doc(self.tokenizer.vocab, words=words, spaces=spaces)


def _pieces(text: str) -> Iterator[str]:
    """A text cut inside its long words."""
    start = 0
    for match in _LONG.finditer(text):
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]
