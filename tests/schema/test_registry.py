"""Trial registrations in a text, as their registries write them."""

from __future__ import annotations

import pytest

from pipeline.schema import Record, Section
from pipeline.schema.registry import registry_spans


@pytest.mark.parametrize(
    "number",
    [
        "NCT00220740",
        "NCT 00220740",
        "ISRCTN84107862",
        "EudraCT 2015-002624-31",
        "EudraCT number: 2015-002624-31",
        "CTIS 2023-509462-38-00",
        "DRKS00012345",
        "ACTRN12605000001639",
        "jRCT2031200001",
        "jRCTs031180001",
        "UMIN000012345",
        "ChiCTR-TRC-08000001",
        "ChiCTR2000029308",
        "CTRI/2020/05/025001",
        "IRCT20080901001157N16",
        "KCT0001234",
        "TCTR20150101001",
        "SLCTR/2015/001",
        "PACTR201501001000001",
        "RBR-6qvdftm",
        "RPCEC00000123",
        "NTR 1234",
    ],
)
def test_a_number_is_found_whole(number: str) -> None:
    """Forms of WHO's ICTRP; several are real registrations."""
    text = f"Registered ({number})."
    assert [text[a:b] for a, b in registry_spans(text)] == [number]


@pytest.mark.parametrize(
    "text", ["NCT0022074", "NCT002207401", "XNCT00220740", "2015-002624-31", "CT scan", "NTR", ""]
)
def test_what_is_not_quite_a_number_is_none(text: str) -> None:
    assert list(registry_spans(text)) == []


def test_mentions_are_quotes_of_the_record() -> None:
    record = Record("r", "A trial, NCT00220740", sections=(Section("See NCT02638207.", "NOTE"),))
    quotes = record.registry_mentions
    assert [q.text for q in quotes] == ["NCT00220740", "NCT02638207"]
    assert all(record.text[q.start : q.end] == q.text for q in quotes)
    assert record.registry_ids == ()
