"""Answers EPost: keeps a list of PMIDs in the history."""

from __future__ import annotations

from pipeline.eutils_server.answers import Answer, Call, error, xml

INVALID = "Some IDs have invalid value and were omitted. Maximum ID value 18446744073709551615"
NOTHING = "Empty ID list; Nothing to store"


def epost(call: Call) -> Answer:
    """Return the answer to an EPost."""
    if call.text("db") != "pubmed":
        return error(call, f"Invalid db name specified: {call.text('db')}")
    ids = call.ids()
    pmids = call.pmids()
    lines = [f"<ERROR>{INVALID}</ERROR>"] if len(pmids) < len(ids) else []
    if pmids:
        name, key = call.history.keep(pmids, call.text("WebEnv"))
        lines = [f"<QueryKey>{key}</QueryKey>", f"<WebEnv>{name}</WebEnv>", *lines]
    else:
        lines = [f"<ERROR>{NOTHING}</ERROR>", *lines]
    return xml("epost", "\n" + "".join(f"\t{line}\n" for line in lines))
