"""A review with a small corpus of our own, and the workbench served from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.config import Config
from pipeline.extract.reader import Reader
from pipeline.fetch.files import read_records
from pipeline.schema import Batch, Extractor, Record, Search, Section, Study
from pipeline.store import Store
from pipeline.workbench import serve
from pipeline.workbench.access import Access
from pipeline.workbench.app import create_app
from pipeline.workbench.desk import Desk
from pipeline.workbench.security import CSRF

REPO = Path(__file__).parents[2]
HOST = "http://127.0.0.1:8000"
#: A text with letters beyond the BMP, combining marks, markup and controls.
HOSTILE = Record(
    "pmid999",
    "<img src=x onerror=alert(1)> 𝔸𝔹 trial & \u202eevil",
    (
        Section(
            "We gave 𝒙𝒚 IVIg; cafe\u0301 patients </mark><script>alert(1)</script> n = 40.", "AIM"
        ),
        Section("Of 40 patients with CIDP on IVIg, 12 were responders.", "RESULTS"),
    ),
    pmid="999",
    doi="javascript:alert(1)//10.1/x",
    year=2024,
    authors=("Evil <b>, E",),
)


@dataclass(frozen=True)
class Corpus:
    """Records and what was read in them."""

    records: tuple[Record, ...]
    studies: tuple[Study, ...]
    extractor: Extractor


@pytest.fixture(scope="session")
def corpus(config: Config) -> Corpus:
    """The shipped corpus with one hostile record, read once."""
    reader = Reader(config.eligibility, config.outcomes)
    found, _ = read_records(REPO / "corpus" / "demo" / "evipool-demo.xml")
    records = (*found, HOSTILE)
    return Corpus(records, tuple(reader.read(r) for r in records), reader.extractor)


@dataclass
class Bench:
    """A workbench on a store of its own; each reviewer is a browser that entered."""

    desk: Desk
    access: Access
    tokens: Mapping[str, str]
    app: Any
    _clients: dict[str, TestClient] = field(default_factory=dict)

    def client(self, who: str) -> TestClient:
        """A reviewer's browser, with the page's token in every write."""
        if who not in self._clients:
            client = TestClient(self.app, base_url=HOST)
            client.get("/help", params={"token": self.tokens[who]})
            session = self.access.session(client.cookies[self.access.cookie])
            assert session is not None
            client.headers[CSRF] = session.csrf
            self._clients[who] = client
        return self._clients[who]

    def path(self, record_id: str, name: str) -> str:
        """The first field of a study whose path ends so."""
        from pipeline.review import fields_of  # noqa: PLC0415

        found = fields_of(self.desk.holdings.studies[record_id])
        return next(f.path for f in found if f.path.endswith(name) and f.suggestion is not None)

    def decide(self, who: str, record_id: str, field: str, verdict: str, **more: Any) -> Any:
        """A decision as the page sends it, in sight of all that the reviewer may see."""
        version = more.pop("version", None)
        if version is None:
            version = self.desk.version(who, record_id, field)
        body = {"record_id": record_id, "field": field, "verdict": verdict, "version": version}
        return self.client(who).post("/api/decide", json={**body, **more})


Open = Callable[..., Bench]


@pytest.fixture
def bench(corpus: Corpus, config: Config, tmp_path: Path) -> Iterator[Open]:
    """Opens a workbench: `mode` is the protocol's, `corpus` may be another one."""
    stores: list[Store] = []

    def opened(
        mode: str = "verify",
        held: Corpus = corpus,
        *,
        bound: bool = True,
        url: str | None = None,
        **review: str,
    ) -> Bench:
        store = filled(tmp_path / f"review{len(stores)}", held, url)
        stores.append(store)
        tokens = {name: name.lower() * 8 for name in ("Ada", "Ben", "Cleo")}
        access = Access(tokens, once=not bound)
        chosen = config.review.model_copy(update={"mode": mode, **review})
        desk = Desk(config.model_copy(update={"review": chosen}), store, held.extractor)
        return Bench(desk, access, tokens, create_app(desk, access))

    yield opened
    for store in stores:
        store.close()


def filled(folder: Path, held: Corpus, url: str | None = None) -> Store:
    """A store with a search, its records and what was read in them."""
    store = Store.open(folder, url)
    ids = tuple(r.record_id for r in held.records)
    store.save_search(Search("s1", "files", "ivig", "2026-11-01", len(ids), ids))
    batch = Batch("all.xml", "application/xml", b"<xml/>", held.records)
    store.save_batch("s1", batch, fetched_at="2026-11-01T00:00:00Z")
    pairs = zip(held.studies, held.records, strict=True)
    store.save_extractions([(study, record.content_hash) for study, record in pairs])
    return store


@pytest.fixture(scope="session")
def served() -> Callable[[Any], AbstractContextManager[str]]:
    """Serves an application: ``with served(app) as address``."""
    return serving


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application on a free port of this machine; yields its address."""
    taken = serve.bind("127.0.0.1", 0)
    server = serve.server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server ended"
    try:
        yield serve.address("127.0.0.1", taken)
    finally:
        server.should_exit = True
        thread.join(10)
        taken.close()
