"""Times the PubMed reader beside its peers: python tests/benchmarks/parse.py [FILE.xml.gz ...].

Each reader reads the same file in a process of its own, in turn, and says its seconds of CPU and
its peak memory. Bare iterparse reads no field: it is what lxml and zlib alone take. Without a
file, a set of made-up records like PubMed's of today is written first.
"""

from __future__ import annotations

import gzip
import random
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 3
#: Bio.Entrez reads nothing without one.
DOCTYPE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN"
"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">
"""
#: What a reader does with the file `path`, as Python; each leaves the number of records in `n`.
READERS = {
    "bare iterparse": """
import gzip
from lxml import etree
with gzip.open(path) as file:
    for _, node in etree.iterparse(file, tag=("PubmedArticle", "PubmedBookArticle")):
        n += 1
        node.clear()
        while node.getprevious() is not None:
            del node.getparent()[0]
""",
    "evipool": """
from pipeline.fetch.xml import read_pubmed_xml
with open(path, "rb") as file:
    for _ in read_pubmed_xml(file):
        n += 1
""",
    "pubmed_parser": """
from pubmed_parser import parse_medline_xml
for _ in parse_medline_xml(path, author_list=True, nlm_category=True, year_info_only=False):
    n += 1
""",
    "Bio.Entrez.read": """
import gzip, io
from Bio import Entrez
raw = gzip.open(path).read().replace(b'"http://dtd', b'"https://dtd', 1)  # else refused
read = Entrez.read(io.BytesIO(raw))
n = len(read["PubmedArticle"]) + len(read["PubmedBookArticle"])
""",
}
#: Around a reader: imports are not timed, and a peer's look-up of a DTD fails at once.
_RUN = """
import resource, socket, sys, time
def refuse(*_, **__): raise OSError("offline")
socket.socket.connect = socket.getaddrinfo = refuse
path, n, code = sys.argv[1], 0, sys.argv[2]
exec("\\n".join(line for line in code.splitlines() if line.startswith(("import", "from"))))
start = time.process_time()
exec(code)
spent = time.process_time() - start
print(n, spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main(arguments: list[str]) -> None:
    """Print records a second of CPU and peak memory of each reader, and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        for path in map(Path, arguments or [made_up(Path(folder) / "made-up.xml.gz")]):
            print(f"{path.name}, {path.stat().st_size / 1e6:.1f} MB; median of {ROUNDS}")
            print(f"{'':16} {'records':>8} {'rec/s':>8} {'peak MB':>8} {'x bare':>7} {'x p_p':>6}")
            results = measured(path)
            bare, parser = results["bare iterparse"][1], results["pubmed_parser"][1]
            for name, (n, rate, peak) in results.items():
                ratios = f"{rate / bare:>7.2f} {rate / parser:>6.2f}"
                print(f"{name:16} {n:>8,} {rate:>8,.0f} {peak:>8.0f} {ratios}")


def measured(path: Path) -> dict[str, tuple[int, float, float]]:
    """Records, median records a second and highest peak of each reader, in rounds."""
    rounds = [{name: run(code, path) for name, code in READERS.items()} for _ in range(ROUNDS)]
    return {
        name: (
            int(rounds[0][name][0]),
            statistics.median(r[name][0] / r[name][1] for r in rounds),
            max(r[name][2] for r in rounds),
        )
        for name in READERS
    }


def run(code: str, path: Path) -> tuple[float, float, float]:
    """Records, seconds of CPU and peak MB of one reader in a process of its own."""
    command = [sys.executable, "-c", _RUN, str(path), code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    records, seconds, peak = done.stdout.split()
    return float(records), float(seconds), float(peak)


def made_up(path: Path, records: int = 5000) -> Path:
    """Write a set of records of random words, the same ones each time."""
    pick = random.Random(1)  # noqa: S311 - nobody has to guess it
    words = [f"word{i}" for i in range(1000)]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(f"{DOCTYPE}<PubmedArticleSet>\n")
        for pmid in range(1, records + 1):
            text = _ARTICLE.replace("PMID_HERE", str(pmid))
            file.write(_WORDS.sub(lambda m: " ".join(pick.choices(words, k=int(m[1]))), text))
        file.write("</PubmedArticleSet>\n")
    return path


_WORDS = re.compile(r"#(\d+)")
_DAY = "<Year>2021</Year>\n<Month>03</Month>\n<Day>04</Day>\n"
_AUTHOR = """<Author ValidYN="Y">
<LastName>#1</LastName>\n<ForeName>#2</ForeName>\n<Initials>AB</Initials>
<AffiliationInfo>\n<Affiliation>#25</Affiliation>\n</AffiliationInfo>\n</Author>
"""
_SECTION = """<AbstractText Label="RESULTS" NlmCategory="RESULTS">
#50 &lt; 10<sup>3</sup></AbstractText>
"""
_HEADING = """<MeshHeading>\n<DescriptorName UI="D000001" MajorTopicYN="N">#2</DescriptorName>
<QualifierName UI="Q000001" MajorTopicYN="Y">#2</QualifierName>\n</MeshHeading>
"""
_REFERENCE = """<Reference>\n<Citation>#20</Citation>
<ArticleIdList>\n<ArticleId IdType="pubmed">1</ArticleId>\n</ArticleIdList>\n</Reference>
"""
_EVENTS = "".join(
    f'<PubMedPubDate PubStatus="{status}">\n{_DAY}<Hour>6</Hour>\n</PubMedPubDate>\n'
    for status in ("received", "accepted", "entrez", "pubmed", "medline")
)
#: A record with as many authors, sections, headings and references as PubMed's of 2021; "#5"
#: stands for five words.
_ARTICLE = f"""<PubmedArticle>
<MedlineCitation Status="MEDLINE" Owner="NLM">
<PMID Version="1">PMID_HERE</PMID>\n<DateRevised>\n{_DAY}</DateRevised>
<Article PubModel="Print">\n<Journal>\n<ISSN IssnType="Print">0000-0000</ISSN>
<JournalIssue CitedMedium="Print">\n<Volume>7</Volume>\n<Issue>2</Issue>
<PubDate>\n<Year>2021</Year>\n<Month>Mar</Month>\n</PubDate>\n</JournalIssue>
<Title>#4</Title>\n<ISOAbbreviation>#2</ISOAbbreviation>\n</Journal>
<ArticleTitle>#12</ArticleTitle>\n<Pagination>\n<MedlinePgn>136-44</MedlinePgn>\n</Pagination>
<ELocationID EIdType="doi" ValidYN="Y">10.5555/PMID_HERE</ELocationID>
<Abstract>\n{_SECTION * 4}</Abstract>\n<AuthorList CompleteYN="Y">\n{_AUTHOR * 6}</AuthorList>
<Language>eng</Language>\n<PublicationTypeList>
<PublicationType UI="D016428">Journal Article</PublicationType>\n</PublicationTypeList>
</Article>\n<MedlineJournalInfo>\n<MedlineTA>#2</MedlineTA>\n</MedlineJournalInfo>
<MeshHeadingList>\n{_HEADING * 5}</MeshHeadingList>
<KeywordList Owner="NOTNLM">\n<Keyword MajorTopicYN="N">#1</Keyword>\n</KeywordList>
</MedlineCitation>\n<PubmedData>\n<History>\n{_EVENTS}</History>
<PublicationStatus>ppublish</PublicationStatus>\n<ArticleIdList>
<ArticleId IdType="pubmed">PMID_HERE</ArticleId>
<ArticleId IdType="doi">10.5555/PMID_HERE</ArticleId>\n</ArticleIdList>
<ReferenceList>\n{_REFERENCE * 20}</ReferenceList>\n</PubmedData>
</PubmedArticle>
"""

if __name__ == "__main__":
    main(sys.argv[1:])
