"""Runs every fault 46 times through Evipool and 5 times through Bio.Entrez alone, side by side.

    python tests/benchmarks/faults.py

A run is a search and four batches of ten records, with a key, against the loopback server: each
request goes wrong with a chance of 0.35, at most five times in a row. Evipool's pauses before it
asks again are cut to a tenth; its rate is not. Prints the table of docs/fetching.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from Bio import Entrez
from pydantic import SecretStr

from pipeline.config import Config, load
from pipeline.errors import FetchError
from pipeline.eutils_server import KINDS, Fault, Scenario, Server, Synthetic, serving
from pipeline.eutils_server import load as load_corpus
from pipeline.eutils_server.index import Index
from pipeline.fetch import eutils
from pipeline.fetch.throttle import Throttle
from pipeline.fetch.transport import ATTEMPTS, RATE_WITH_KEY, SPARE, Transport
from pipeline.fetch.wire import Wire

REPO = Path(__file__).parents[2]
EMAIL, KEY, QUERY = "reviewer@example.org", "0123456789abcdef" * 2, "trial[tiab]"
RECORDS, BATCH, CHANCE = 40, 10, 0.35
SEEDS, PEER_SEEDS, AT_ONCE = 46, 5, 6
TIMEOUT_S, SIZE, BOMB_MB = 0.5, 1_000_000, 2
EXPECTED = sorted(str(pmid) for pmid in Synthetic(RECORDS).pmids())
NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    The PMIDs it got, the class of its error, how many records it named as missing, and the most
    requests in one second at the server.
    """

    got: tuple[str, ...]
    error: str = ""
    named: int = 0
    busiest: int = 0

    @property
    def word(self) -> str:
        """The outcome in a word or two."""
        if self.error:
            return self.error
        if self.lost:
            return "records lost in silence"
        return (
            "a record twice" if self.twice else "missing ones named" if self.named else "complete"
        )

    @property
    def lost(self) -> int:
        """How many records are neither there nor named as missing; none after an error."""
        return 0 if self.error else len(set(EXPECTED) - set(self.got)) - self.named

    @property
    def twice(self) -> int:
        """How many records came twice."""
        return len(self.got) - len(set(self.got))


def main() -> None:
    """Print the table, and the sums over all runs of Evipool."""
    start = time.monotonic()
    index, all_runs = load_corpus(Synthetic(RECORDS)), []
    print(
        f"| fault | what the server does | Evipool, {SEEDS} runs | Bio.Entrez alone, {PEER_SEEDS} |"
    )
    print("|---|---|---|---|")
    for kind, row in KINDS.items():
        ours = campaign(index, kind)
        theirs = [bare(index, kind, seed) for seed in range(PEER_SEEDS)]
        all_runs += ours
        print(f"| {kind} | {row.says} | {words(ours)} | {words(theirs)} |", flush=True)
    index.close()
    print(f"\nEvipool: {len(all_runs)} runs in {time.monotonic() - start:.0f} s:")
    print(f"  records lost in silence: {sum(o.lost for o in all_runs)};", end=" ")
    print(f"named as missing: {sum(o.named for o in all_runs)};", end=" ")
    print(f"twice: {sum(o.twice for o in all_runs)};", end=" ")
    print(f"busiest second: {max(o.busiest for o in all_runs)} requests of {RATE_WITH_KEY}")


def words(outcomes: list[Outcome]) -> str:
    """The outcomes counted, the most frequent first."""
    counted = Counter(o.word for o in outcomes).most_common()
    return "; ".join(f"{n} {word}" for word, n in counted)


def campaign(index: Index, kind: str) -> list[Outcome]:
    """The runs of Evipool with one fault, some at a time, each with a server of its own."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda seed: evipool(index, kind, seed), range(SEEDS)))


def scenario(kind: str, seed: int) -> Scenario:
    """The fault with its chance; silences and trickles last two seconds."""
    fault = Fault(kind, chance=CHANCE, tries=ATTEMPTS - 1)
    return Scenario((fault,), seed=seed, hang_s=2.0, drip_s=0.05, bomb_mb=BOMB_MB)


def evipool(index: Index, kind: str, seed: int) -> Outcome:
    """One run of the project's own client."""
    got: list[str] = []
    with serving(index, scenario=scenario(kind, seed)) as server:
        by = transport(server)
        config = configured(server)
        error, named = "", 0
        try:
            found = eutils.search(config, today="2026-11-22", transport=by)
            for batch in eutils.fetch(found, config, transport=by):
                got += [str(r.pmid) for r in batch.records]
                named += sum(p.code == "missing_record" for p in batch.problems)
        except FetchError as failed:
            error = f"FetchError ({str(failed).split(': ', 1)[1][:28]})"
        return Outcome(tuple(got), error, named, server.journal.busiest())


def transport(server: Server) -> Transport:
    """A client that keeps the rate and cuts its pauses to a tenth."""
    throttle = Throttle(SPARE / RATE_WITH_KEY, clock=time.monotonic, sleep=time.sleep)
    send = Wire(TIMEOUT_S, SIZE)
    return Transport(
        server.base_url, EMAIL, throttle, SecretStr(KEY), send, lambda s: time.sleep(s / 10)
    )


def configured(server: Server) -> Config:
    """The shipped protocol, asking this server."""
    flags = {
        "query": QUERY,
        "ncbi.email": EMAIL,
        "ncbi.base_url": server.base_url,
        "ncbi.batch_size": BATCH,
    }
    return load(REPO / "config.yaml", flags=flags).config


def bare(index: Index, kind: str, seed: int) -> Outcome:
    """One run as Biopython's tutorial has it: esearch, then efetch by ids, each through read."""
    got: list[str] = []
    with serving(index, scenario=scenario(kind, seed)) as server, pointed_at(server):
        error = ""
        try:
            with Entrez.esearch("pubmed", QUERY, retmax=9999) as handle:
                pmids = list(Entrez.read(handle)["IdList"])
            for start in range(0, len(pmids), BATCH):
                part = ",".join(pmids[start : start + BATCH])
                with Entrez.efetch("pubmed", id=part, retmode="xml") as handle:
                    got += [_pmid(a) for a in Entrez.read(handle)["PubmedArticle"]]
        except Exception as failed:
            error = type(failed).__name__
        return Outcome(tuple(got), error, busiest=server.journal.busiest())


def _pmid(article: Any) -> str:
    """The PMID of an article as Bio.Entrez reads it."""
    return str(article["MedlineCitation"]["PMID"])


@contextmanager
def pointed_at(server: Server) -> Iterator[None]:
    """Bio.Entrez, whose address is fixed, asks this server; its 15 s pauses are left out."""

    def opened(request: Request | str) -> Any:
        if isinstance(request, Request):
            request.full_url = request.full_url.replace(NCBI, server.base_url)
        return urlopen(request)

    kept = Entrez.urlopen, Entrez.sleep_between_tries
    Entrez.email, Entrez.api_key = EMAIL, KEY
    Entrez.max_tries, Entrez.sleep_between_tries, Entrez.urlopen = 3, 0, opened
    try:
        yield
    finally:
        Entrez.urlopen, Entrez.sleep_between_tries = kept


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = folder
        sys.exit(main())
