"""Says where each field of a record stands in PubMed XML, and builds the record from them.

The tables mirror the XML: a tag leads to a field, or to the table of what is in it. One walk over
an entry's children fills a dict; nothing is searched for, which makes a reader three times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from pipeline.fetch.build import new_dates, new_record
from pipeline.fetch.fields import first_year
from pipeline.fetch.lists import (
    access_ids,
    byline,
    chemicals,
    corrections,
    grants,
    history,
    iso,
    keywords,
    location_doi,
    mesh,
    old_corrections,
    other_abstract,
    pages,
    printed_date,
    publication_type,
    publication_types,
    registry_ids,
    sections,
    versioned,
)
from pipeline.fetch.markup import plain_text
from pipeline.schema import Dates, Record

Values = dict[str, Any]
#: A row says: the field's name, what reads it, and whether the tag may repeat.
Row = tuple[str, Callable[[etree._Element], Any], bool]
Table = Mapping[str, Any]

ONE, MANY = False, True

_ARTICLE: Table = {
    "Journal": {
        "JournalIssue": {
            "Volume": ("volume", plain_text, ONE),
            "Issue": ("issue", plain_text, ONE),
            "PubDate": ("published", printed_date, ONE),
        },
        "Title": ("journal_title", plain_text, ONE),
        "ISOAbbreviation": ("journal", plain_text, ONE),
    },
    "ArticleTitle": ("title", plain_text, ONE),
    "VernacularTitle": ("vernacular_title", plain_text, ONE),
    "Pagination": ("pages", pages, ONE),
    "ELocationID": ("location_dois", location_doi, MANY),
    "Abstract": ("sections", sections, ONE),
    "AuthorList": ("bylines", byline, MANY),
    "Language": ("languages", plain_text, MANY),
    "DataBankList": ("registry_ids", registry_ids, ONE),
    "GrantList": ("grants", grants, ONE),
    "PublicationTypeList": ("publication_types", publication_types, ONE),
    "ArticleDate": ("electronic", iso, ONE),
}
CITATION: Table = {
    "PMID": ("pmid", versioned, ONE),
    "DateCreated": ("created", iso, ONE),
    "DateCompleted": ("completed", iso, ONE),
    "DateRevised": ("revised", iso, ONE),
    "Article": _ARTICLE,
    "MedlineJournalInfo": {"MedlineTA": ("journal_ta", plain_text, ONE)},
    "ChemicalList": ("chemicals", chemicals, ONE),
    "CommentsCorrectionsList": ("corrections", corrections, ONE),
    "CommentsCorrections": ("corrections", old_corrections, ONE),
    "MeshHeadingList": ("mesh", mesh, ONE),
    "OtherAbstract": ("other_abstracts", other_abstract, MANY),
    "KeywordList": ("keyword_lists", keywords, MANY),
}
ARTICLE: Table = {
    "MedlineCitation": CITATION,
    "NCBIArticle": CITATION,
    "PubmedData": {
        "History": ("history", history, ONE),
        "ArticleIdList": ("ids", access_ids, ONE),
    },
}
BOOK: Table = {
    "BookDocument": {
        "PMID": ("pmid", versioned, ONE),
        "ArticleIdList": ("ids", access_ids, ONE),
        "Book": {
            "BookTitle": ("book_title", plain_text, ONE),
            "PubDate": ("published", printed_date, ONE),
            "Volume": ("volume", plain_text, ONE),
        },
        "ArticleTitle": ("title", plain_text, ONE),
        "VernacularTitle": ("vernacular_title", plain_text, ONE),
        "Pagination": ("pages", pages, ONE),
        "Language": ("languages", plain_text, MANY),
        "AuthorList": ("bylines", byline, MANY),
        "PublicationType": ("publication_types", publication_type, MANY),
        "Abstract": ("sections", sections, ONE),
        "KeywordList": ("keyword_lists", keywords, MANY),
        "ContributionDate": ("created", iso, ONE),
        "DateRevised": ("revised", iso, ONE),
        "GrantList": ("grants", grants, ONE),
    },
    "PubmedBookData": {"History": ("history", history, ONE)},
}
#: PubMed's type of an abstract written for lay people.
PLAIN_LANGUAGE = "plain-language-summary"


def read_values(node: etree._Element, table: Table, values: Values) -> None:
    """Add to `values` what the children of an element hold, by a table."""
    get = table.get
    for child in node:
        row = get(child.tag)  # a comment's tag is a function: never in a table
        if row is None:
            continue
        if type(row) is dict:
            read_values(child, row, values)
            continue
        field, read, repeats = row
        if repeats:
            values.setdefault(field, []).append(read(child))
        else:
            values[field] = read(child)


def to_record(pmid: str, version: int, values: Values) -> Record:
    """Build the record of an entry's values; what one place lacks is taken from the next."""
    get = values.get
    ids: dict[str, str] = get("ids", {})
    vernacular, book = get("vernacular_title", ""), get("book_title", "")
    types, others = get("publication_types", ()), get("other_abstracts", ())
    people = tuple([author for people in get("bylines", ()) for author in people])
    dates = _dates(values)
    return new_record(
        record_id=f"pmid{pmid}",
        title=get("title") or vernacular or book,
        sections=get("sections", ()),
        pmid=pmid,
        doi=ids.get("doi") or next(filter(None, get("location_dois", ())), None),
        pmcid=ids.get("pmc"),
        year=first_year(dates.published) or first_year(dates.electronic),
        journal=get("journal") or get("journal_title") or get("journal_ta") or book,
        volume=_volume(values),
        pages=get("pages", ""),
        language=",".join(get("languages", ())),
        authors=tuple([author.name for author in people]),
        mesh=get("mesh", ()),
        publication_types=tuple([name for name, _ in types]),
        registry_ids=get("registry_ids", ()),
        corrections=get("corrections", ()),
        version=version,
        vernacular_title=vernacular,
        other_abstracts=tuple([o for o in others if o.type != PLAIN_LANGUAGE]),
        plain_language_summaries=tuple([o for o in others if o.type == PLAIN_LANGUAGE]),
        byline=people,
        publication_type_uis=tuple([ui for _, ui in types if ui]),
        chemicals=get("chemicals", ()),
        keywords=tuple([word for words in get("keyword_lists", ()) for word in words]),
        dates=dates,
        grants=get("grants", ()),
    )


def _dates(values: Values) -> Dates:
    """The dates of an entry's values."""
    get = values.get
    return new_dates(
        **get("history", {}),
        created=get("created", ""),
        completed=get("completed", ""),
        revised=get("revised", ""),
        published=get("published", ""),
        electronic=get("electronic", ""),
    )


def _volume(values: Values) -> str:
    """Volume and issue as printed in a citation: "7(2)"."""
    volume: str = values.get("volume", "")
    issue = values.get("issue")
    return f"{volume}({issue})" if issue else volume
