"""The answers have the shapes of NCBI's own, as biopython and biocommons recorded them.

The records differ, so elements and attributes are compared, not texts: whatever this server sends,
NCBI sends at the same place. What NCBI sends besides is not compared.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import yaml
from lxml import etree

from pipeline.eutils_server import serving

Ask = Callable[..., requests.Response]
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


@pytest.fixture(scope="session")
def recorded(shared: Path) -> Path:
    """The recorded answers of other projects."""
    return shared / "data" / "pubmed_xml" / "varied"


def biopython(recorded: Path, name: str) -> bytes:
    """An answer that biopython recorded."""
    return (recorded / "biopython+biopython" / f"Tests__Entrez__{name}.xml").read_bytes()


def biocommons(recorded: Path, name: str) -> bytes:
    """An answer that biocommons' eutils recorded."""
    file = recorded / "biocommons+eutils" / f"tests__data__cassettes__{name}"
    cassette = yaml.safe_load(file.read_text(encoding="utf-8"))
    return str(cassette["interactions"][0]["response"]["body"]["string"]).encode()


def shape(xml: bytes) -> set[str]:
    """The paths of all elements and attributes, and the named items of a DocSum."""
    found = set()
    for node in etree.fromstring(xml, PARSER).iter(etree.Element):
        names = [node.tag, *(a.tag for a in node.iterancestors())]
        path = "/".join(str(name) for name in reversed(names))
        found |= {path, *(f"{path}@{name}" for name in node.attrib)}
        if "Name" in node.attrib and not path.endswith("Item/Item"):  # there Name is a value
            found.add(f"{path}:{node.get('Name')}:{node.get('Type')}")
    return found


def head(xml: bytes) -> tuple[str, str | None, str | None]:
    """Root and DOCTYPE."""
    info = etree.fromstring(xml, PARSER).getroottree().docinfo
    return info.root_name, info.public_id, info.system_url


CASES = [
    ("esearch1", "esearch", {"term": "pain"}),
    ("esearch2", "esearch", {"term": "pain", "usehistory": "y"}),
    ("esearch8", "esearch", {"term": "abcXYZ"}),
    ("epost1", "epost", {"id": "101,102"}),
    ("epost2", "epost", {"id": "101", "db": "nothing"}),
    ("epost3", "epost", {"id": "abc"}),
    ("elink3", "elink", {"dbfrom": "pubmed", "id": "101,103"}),
    ("einfo1", "einfo", {"db": ""}),
    ("einfo2", "einfo", {}),
    ("esummary1", "esummary", {"id": "101,103"}),
    ("esummary8", "esummary", {}),
]


@pytest.mark.parametrize(("name", "utility", "params"), CASES, ids=[c[0] for c in CASES])
def test_an_answer_has_the_shape_that_biopython_recorded(
    ask: Ask, recorded: Path, name: str, utility: str, params: dict[str, str]
) -> None:
    ours, theirs = ask(utility, **params).content, biopython(recorded, name)
    assert head(ours) == head(theirs)
    assert shape(ours) <= shape(theirs)


@pytest.mark.parametrize(
    ("name", "utility", "params"),
    [
        ("test_esearch", "esearch", {"term": "pain", "usehistory": "y"}),
        ("test_einfo_dblist", "einfo", {"db": ""}),
        ("test_elink", "elink", {"dbfrom": "pubmed", "id": "101"}),
        ("test_efetch", "efetch", {"id": "101", "retmode": "xml"}),
    ],
)
def test_an_answer_has_the_shape_that_biocommons_recorded(
    ask: Ask, recorded: Path, name: str, utility: str, params: dict[str, str]
) -> None:
    ours, theirs = ask(utility, **params).content, biocommons(recorded, name)
    if utility == "efetch":  # the records are this corpus's own, and the DTD is a year younger
        assert head(ours)[0] == head(theirs)[0]
        assert {p for p in shape(ours) if p.count("/") < 2} <= shape(theirs)
    else:
        assert head(ours) == head(theirs)
        assert shape(ours) <= shape(theirs)


@pytest.mark.parametrize(
    ("name", "utility", "params", "place"),
    [
        ("epost2", "epost", {"id": "101", "db": "nothing"}, "ERROR"),
        ("epost3", "epost", {"id": "abc"}, "ERROR"),
        ("esummary8", "esummary", {}, "ERROR"),
        ("esearch8", "esearch", {"term": "abcXYZ"}, "ErrorList/PhraseNotFound"),
        ("esearch8", "esearch", {"term": "abcXYZ"}, "WarningList/OutputMessage"),
    ],
)
def test_errors_and_warnings_have_ncbis_own_words(
    ask: Ask, recorded: Path, name: str, utility: str, params: dict[str, str], place: str
) -> None:
    ours = etree.fromstring(ask(utility, **params).content, PARSER)
    theirs = etree.fromstring(biopython(recorded, name), PARSER)
    assert ours.findtext(place) == theirs.findtext(place) is not None


def test_real_records_are_served_as_they_are(recorded: Path) -> None:
    file = recorded / "biopython+biopython" / "Tests__Entrez__pubmed2.xml"
    kept = {p.findtext("*/PMID"): p for p in etree.parse(file, PARSER).getroot()}
    with serving(file, rate_limit=False) as server:
        form = {"db": "pubmed", "id": ",".join(str(k) for k in kept), "retmode": "xml"}
        answer = requests.post(f"{server.base_url}efetch.fcgi", form, timeout=10)
    got = {p.findtext("*/PMID"): p for p in etree.fromstring(answer.content, PARSER)}
    assert list(got) == list(kept)
    for pmid, node in got.items():
        expected = etree.tostring(kept[pmid], method="c14n", with_tail=False)
        assert etree.tostring(node, method="c14n", with_tail=False) == expected
