"""Finds and fetches records: from PubMed, from files, or from the shipped corpus.

A source is a module with `search` and `fetch`; a row in `SOURCES` makes it known to the command
line and to updates.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Protocol

from pipeline.config import Config
from pipeline.fetch import demo, eutils, files
from pipeline.schema import Batch, Search
from pipeline.schema.events import Tell, silent


class Source(Protocol):
    """Where records come from."""

    def search(self, config: Config, *, today: str, tell: Tell = silent) -> Search:
        """Return the records that the protocol asks for; `today` is YYYY-MM-DD."""

    def fetch(
        self,
        search: Search,
        config: Config,
        *,
        skip: Collection[str] = (),
        progress: Callable[[int, int], None] | None = None,
        tell: Tell = silent,
    ) -> Iterator[Batch]:
        """Yield the records of a search in batches, those in `skip` left out.

        `progress` is called after each batch with the records done and all records, `tell` with
        what happens on the way.
        """


SOURCES: Mapping[str, Source] = {"pubmed": eutils, "files": files, "demo": demo}

#: Sources that can be asked again for what is new, without the bodies of what is here.
SEARCHED_AGAIN: Mapping[str, Callable[..., Search]] = {"pubmed": eutils.search_again}
