"""Tables, links and quotes of the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.data import ReportData
from pipeline.report.plain import doi_url, pubmed_url
from pipeline.schema import Quote, Record

Cell = str | Markup
#: A cell that is a number, a count or a percentage.
_NUMBER = re.compile(r"[-−]?[\d.,\u202f]+%?")


@dataclass(frozen=True, slots=True)
class HtmlTable:
    """A table of the page; `flag` says what in it nobody has reviewed."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    flag: str = ""

    @property
    def numeric(self) -> frozenset[int]:
        """The columns that hold numbers, which stand to the right."""
        columns = enumerate(zip(*self.rows, strict=True))
        return frozenset(
            i
            for i, cells in columns
            if any(cells) and all(_NUMBER.fullmatch(c) for c in cells if c)
        )


def make_table(
    caption: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], flag: str = ""
) -> HtmlTable:
    """Return a table without the columns in which no row has anything."""
    kept = [i for i in range(len(header)) if i == 0 or any(row[i] for row in rows)]
    return HtmlTable(
        caption,
        tuple(header[i] for i in kept),
        tuple(tuple(row[i] for i in kept) for row in rows),
        flag,
    )


def study_anchor(record_id: str) -> str:
    """Return the id of a study's part of the page; only letters, digits and hyphens."""
    return "study-" + re.sub(r"[^A-Za-z0-9]", lambda m: f"-{ord(m[0]):x}-", record_id)


def links(record: Record | None) -> Markup:
    """Return the links to PubMed and to the publisher that a record's ids allow."""
    if record is None:
        return Markup("")
    found = [
        (f"PMID {record.pmid}", pubmed_url(record.pmid)),
        (f"doi:{record.doi}", doi_url(record.doi)),
    ]
    link = Markup('<a href="{}" rel="noreferrer">{}</a>')
    return Markup(" ").join(link.format(url, text) for text, url in found if url)


def study_link(data: ReportData, record_id: str, slab: str) -> Markup | str:
    """Return a study's label, leading to its part of the page where it has one."""
    if record_id not in data.study_ids:
        return slab
    return Markup('<a href="#{}">{}</a>').format(study_anchor(record_id), slab)


def quote_cell(quotes: Iterable[Quote]) -> Markup:
    """Return quotes as HTML, each once."""
    texts = dict.fromkeys(q.text for q in quotes)
    return Markup(" ").join(Markup("<q>{}</q>").format(t) for t in texts)


def solid(text: str) -> str:
    """Return a text that does not break over lines."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")
