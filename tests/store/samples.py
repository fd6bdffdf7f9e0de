"""Values that the tests of `pipeline.store` write and read back."""

from __future__ import annotations

from pipeline.schema import (
    Arm,
    Batch,
    Extractor,
    MeshHeading,
    Problem,
    Reading,
    Record,
    Search,
    Section,
    Study,
)

NOON = "2026-11-22T12:00:00Z"
LATER = "2026-11-23T12:00:00Z"
EXTRACTOR = Extractor("rules", "1.0", "abc")
OLD = Record(
    "pmid1",
    "Ig for neuropathy",
    (Section("Of 30 patients, 12 got better.", "RESULTS"),),
    pmid="1",
    year=2019,
    authors=("Müller, J",),
    mesh=(MeshHeading("Pain", major=True, qualifiers=("drug therapy",)),),
)
NEW = Record("pmid1", "Ig, corrected", pmid="1")
OTHER = Record("pmid2", "Another study: 10\u2009% Ig", pmid="2")
PROBLEM = Problem("missing_record", "PubMed listed pmid3 but returned no record.")
SEARCH = Search(
    "2026-11-22-pubmed-a",
    "pubmed",
    "ivig",
    "2026-11-22",
    3,
    ("pmid2", "pmid1", "pmid3"),
    "ivig[All Fields]",
    ("phrasesnotfound: ivigg",),
)
AGAIN = Search("2026-11-23-pubmed-b", "pubmed", "ivig", "2026-11-23", 1, ("pmid1",))
BATCH = Batch("efetch-0001.xml", "application/xml", b"<a/>", (OLD, OTHER), (PROBLEM,))
REVISED = Batch("efetch-0001.xml", "application/xml", b"<b/>", (NEW,))


def study(record: Record, *, n: int = 30, extractor: Extractor = EXTRACTOR) -> Study:
    """A study with one reading, whose quote is the first two digits of the text, if any."""
    at = record.text.find("30")
    quote = record.quote(at, at + 2) if at >= 0 else None
    size = Reading(n, quote, "" if quote else "assumed in this test")
    return Study(
        record.record_id,
        Reading("rct_parallel", None, "assumed in this test"),
        pmids=("1",),
        n_total=size,
        arms=(Arm("Ig", "intervention", n=size, quote=quote),),
        extractor=extractor,
    )
