"""Answers ELink: what a record refers to, and what refers to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.eutils_server.answers import LIMIT, Answer, Call, as_json, error, xml
from pipeline.eutils_server.index import Index

#: Name of a link -> how its PMIDs are found. PubMed's similar articles are not served.
LINKS: Mapping[str, Callable[[Index, int, int], list[int]]] = {
    "pubmed_pubmed_citedin": Index.cited_in,
    "pubmed_pubmed_refs": Index.references,
}
COMMANDS = ("neighbor", "neighbor_history")


@dataclass(frozen=True, slots=True)
class _Set:
    """Records and the PMIDs that they are linked with, by the link's name."""

    pmids: Sequence[int]
    links: Mapping[str, Sequence[int]]


def elink(call: Call) -> Answer:
    """Return the answer to an ELink; several `id` fields are answered one by one."""
    command = call.text("cmd", "neighbor")
    if command not in COMMANDS or {call.text("dbfrom"), call.text("db", "pubmed")} != {"pubmed"}:
        return error(call, "This server links pubmed with pubmed, by neighbor or neighbor_history.")
    asked = call.asked(LIMIT)
    if isinstance(asked, Answer):
        return asked
    single = len(call.params.get("id", ())) > 1
    groups = [[pmid] for pmid in asked] if single else [asked]
    sets = [_linked(call, group) for group in groups]
    if command == "neighbor_history":
        return xml("elink", "".join(_kept(call, linked) for linked in sets))
    if call.as_json:
        return as_json("elink", {"linksets": [_json(linked) for linked in sets]})
    return xml("elink", "".join(_xml(linked) for linked in sets))


def _linked(call: Call, pmids: Sequence[int]) -> _Set:
    """The links of these records that were asked for and have an end."""
    wanted = call.text("linkname")
    found = {}
    for name, follow in LINKS.items():
        if wanted in ("", name):
            ends = {end for pmid in pmids for end in follow(call.index, pmid, call.day)}
            found[name] = call.alter(sorted(ends, reverse=True))
    return _Set(pmids, {name: ends for name, ends in found.items() if ends})


def _json(linked: _Set) -> dict[str, object]:
    """A set of links in JSON."""
    links = [
        {"dbto": "pubmed", "linkname": name, "links": [str(end) for end in ends]}
        for name, ends in linked.links.items()
    ]
    return {"dbfrom": "pubmed", "ids": [str(p) for p in linked.pmids], "linksetdbs": links}


def _xml(linked: _Set) -> str:
    """A set of links in XML."""
    links = (
        f"<DbTo>pubmed</DbTo><LinkName>{name}</LinkName>{_ids(ends, 'Link')}"
        for name, ends in linked.links.items()
    )
    return _set(linked, "".join(f"<LinkSetDb>{link}</LinkSetDb>\n" for link in links))


def _kept(call: Call, linked: _Set) -> str:
    """A set of links whose ends are kept in the history."""
    environment, lines = call.text("WebEnv"), ""
    for name, ends in linked.links.items():
        environment, key = call.history.keep(ends, environment)
        lines += (
            f"<LinkSetDbHistory><DbTo>pubmed</DbTo><LinkName>{name}</LinkName>"
            f"<QueryKey>{key}</QueryKey></LinkSetDbHistory>\n"
        )
    return _set(linked, lines + (f"<WebEnv>{environment}</WebEnv>\n" if lines else ""))


def _set(linked: _Set, links: str) -> str:
    """A LinkSet element."""
    ids = f"<IdList>{_ids(linked.pmids)}</IdList>"
    return f"\n<LinkSet><DbFrom>pubmed</DbFrom>{ids}\n{links}</LinkSet>\n"


def _ids(pmids: Iterable[int], around: str = "") -> str:
    """Id elements, each inside another if that is named."""
    ids = (f"<Id>{pmid}</Id>" for pmid in pmids)
    return "".join(f"<{around}>{i}</{around}>" if around else i for i in ids)
