"""displaCy shows each reading where it stands."""

from __future__ import annotations

from itertools import pairwise

import pytest
import spacy
from spacy import displacy

from pipeline.errors import PipelineError
from pipeline.extract import COMPONENTS
from pipeline.extract.reader import Reader
from pipeline.extract.view import displacy_spans, quoted
from pipeline.schema import Record, Section

RECORD = Record(
    "r",
    "Open-label study of IVIg in CIDP",
    (Section("Twelve patients had IVIg 0.4 g/kg/day for 5 days. Nine of 12 improved (p = 0.03)."),),
)


def test_every_quote_of_a_study_is_a_span_of_its_tokens(reader: Reader) -> None:
    study = reader.read(RECORD)
    shown = displacy_spans(study, RECORD.text)
    for span, (path, quote) in zip(shown["spans"], quoted(study), strict=True):
        words = shown["tokens"][span["start_token"] : span["end_token"]]
        assert span["label"] == path
        assert "".join(quote.text.split()) in "".join(words)
    assert {"n_total", "doses.amount", "dose", "outcomes.events"} <= {
        span["label"] for span in shown["spans"]
    }


def test_entities_lie_apart_in_the_order_of_the_text(reader: Reader) -> None:
    ents = displacy_spans(reader.read(RECORD), RECORD.text)["ents"]
    assert ents
    assert all(a["end"] <= b["start"] for a, b in pairwise(ents))
    amount = next(e for e in ents if e["label"] == "doses.amount")
    assert RECORD.text[amount["start"] : amount["end"]] == "0.4"


def test_a_doc_shows_the_same_as_its_study(reader: Reader) -> None:
    doc = reader.nlp(RECORD.text)
    assert displacy_spans(doc) == displacy_spans(reader.read(RECORD), RECORD.text)


@pytest.mark.parametrize("style", ["ent", "span"])
def test_displacy_draws_it(reader: Reader, style: str) -> None:
    shown = displacy_spans(reader.read(RECORD), RECORD.text, title="An open-label study")
    page = displacy.render(shown, style=style, manual=True, jupyter=False)  # type: ignore[arg-type]
    assert "doses.amount" in page
    assert "An open-label study" in page or style == "span"


def test_a_doc_that_was_not_read_is_refused() -> None:
    with pytest.raises(PipelineError, match="add evipool_sentences"):
        displacy_spans(spacy.blank("en")(RECORD.text))


def test_a_doc_without_outcomes_is_refused() -> None:
    nlp = spacy.blank("en")
    for name in COMPONENTS[:8]:
        nlp.add_pipe(name)
    with pytest.raises(PipelineError, match=r"displacy_spans needs .* add evipool_outcomes"):
        displacy_spans(nlp(RECORD.text))


def test_a_text_that_is_not_the_studys_shows_nothing(reader: Reader) -> None:
    shown = displacy_spans(reader.read(RECORD), "Another text.")
    assert (shown["spans"], shown["ents"]) == ([], [])
