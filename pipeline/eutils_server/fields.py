"""The search fields of the server: their tags, their full names and where they are looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["words", "whole", "author", "date", "uid", "subset"]


@dataclass(frozen=True, slots=True)
class Field:
    """A search field.

    `words` are looked for anywhere in the columns, a `whole` term must be one of their values,
    an `author` one of them or the beginning of one; a `date` and a `uid` may be a range.
    """

    code: str
    name: str
    kind: Kind
    columns: tuple[str, ...]
    tags: tuple[str, ...]


FIELDS = (
    Field("ALL", "All Fields", "words", (), ("all", "all fields")),
    Field("TIAB", "Title/Abstract", "words", ("ti", "ab"), ("tiab", "title/abstract")),
    Field("TITL", "Title", "words", ("ti",), ("ti", "title", "titl")),
    Field("MESH", "MeSH Terms", "whole", ("mh",), ("mh", "mesh", "mesh terms", "mesh:noexp")),
    Field("PTYP", "Publication Type", "whole", ("pt",), ("pt", "ptyp", "publication type")),
    Field("AUTH", "Author", "author", ("au",), ("au", "auth", "author")),
    Field("JOUR", "Journal", "whole", ("ta",), ("ta", "jour", "journal")),
    Field("LANG", "Language", "whole", ("la",), ("la", "lang", "language")),
    Field("UID", "UID", "uid", ("pmid",), ("uid", "pmid")),
    Field("CRDT", "Date - Create", "date", ("crdt",), ("crdt", "date - create")),
    Field("EDAT", "Date - Entry", "date", ("edat",), ("edat", "date - entry")),
    Field("MHDA", "Date - MeSH", "date", ("mhda",), ("mhda", "date - mesh")),
    Field("MDAT", "Date - Modification", "date", ("lr",), ("lr", "mdat", "date - modification")),
    Field("PDAT", "Date - Publication", "date", ("pdat",), ("pdat", "dp", "date - publication")),
    Field("FILT", "Filter", "subset", (), ("sb", "subset", "filter", "filt")),
)
#: Tag, in lower case -> field.
TAGS: Mapping[str, Field] = {tag: field for field in FIELDS for tag in field.tags}
ALL_FIELDS, UID = TAGS["all"], TAGS["uid"]
#: Subset -> the SQL condition that it stands for.
SUBSETS: Mapping[str, str] = {"all": "1", "pubmed books": "book = 1", "hasabstract": "abstract = 1"}
