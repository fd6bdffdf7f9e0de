"""Answers EInfo: the databases, and what can be searched in PubMed."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from pipeline.eutils_server.answers import Answer, Call, as_json, error, xml
from pipeline.eutils_server.elink import LINKS
from pipeline.eutils_server.fields import FIELDS, Field
from pipeline.eutils_server.index import Condition

BUILD = "Build-evipool"


def einfo(call: Call) -> Answer:
    """Return the answer to an EInfo."""
    database = call.text("db")
    if database not in ("", "pubmed"):
        return error(call, f"Invalid db name specified: {database}")
    if call.as_json:
        result = {"dbinfo": [_about(call)]} if database else {"dblist": ["pubmed"]}
        return as_json("einfo", {"einforesult": result})
    return xml("einfo", _xml(call) if database else "<DbList><DbName>pubmed</DbName></DbList>")


def _about(call: Call) -> dict[str, object]:
    """The database in NCBI's terms."""
    count = len(call.index.find(Condition("1"), call.day))
    return {
        "dbname": "pubmed",
        "menuname": "PubMed",
        "description": "PubMed bibliographic record",
        "dbbuild": BUILD,
        "count": str(count),
        "fieldlist": [{name.lower(): v for name, v in _field(f).items()} for f in FIELDS],
        "linklist": [{"name": name, "dbto": "pubmed"} for name in LINKS],
    }


def _field(field: Field) -> Mapping[str, str]:
    """A search field in NCBI's terms."""
    return {
        "Name": field.code,
        "FullName": field.name,
        "Description": field.name,
        "IsDate": "Y" if field.kind == "date" else "N",
        "IsNumerical": "Y" if field.kind == "uid" else "N",
    }


def _xml(call: Call) -> str:
    """The database in XML."""
    names = {"dbname": "DbName", "menuname": "MenuName", "description": "Description"}
    names |= {"dbbuild": "DbBuild", "count": "Count"}
    about = _about(call)
    head = "".join(f"<{tag}>{about[name]}</{tag}>\n" for name, tag in names.items())
    fields = "".join(f"<Field>{_tags(_field(field))}</Field>\n" for field in FIELDS)
    links = "".join(f"<Link><Name>{n}</Name><DbTo>pubmed</DbTo></Link>\n" for n in LINKS)
    lists = f"<FieldList>\n{fields}</FieldList>\n<LinkList>\n{links}</LinkList>\n"
    return f"\n<DbInfo>\n{head}{lists}</DbInfo>\n"


def _tags(values: Mapping[str, str]) -> str:
    """Values as elements."""
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in values.items())
