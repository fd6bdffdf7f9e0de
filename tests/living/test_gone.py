"""Records that PubMed takes back, or that the query finds no more, are named and dealt with."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from pipeline import update
from pipeline.config import Config
from pipeline.errors import FetchError
from pipeline.eutils_server import Fault, Scenario, serving
from pipeline.review_folder import Review
from pipeline.update import RunResult

REPO = Path(__file__).parents[2]
DELETED, LEFT = "28768822", "9549518"


class Clock:
    """A clock that goes on by a second each time it is read."""

    time = datetime(2026, 1, 5, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def days(folder: Path) -> Path:
    """The shipped corpus; on the second day one record is deleted and one renamed."""
    tree = etree.parse(str(REPO / "corpus" / "demo" / "evipool-demo.xml"))
    later = etree.Element("PubmedArticleSet")
    for article in tree.getroot():
        if article.findtext(".//PMID") == LEFT:
            renamed = deepcopy(article)
            title = renamed.find(".//ArticleTitle")
            assert title is not None
            title.text = "A series of patients"
            later.append(renamed)
    etree.SubElement(etree.SubElement(later, "DeleteCitation"), "PMID", Version="1").text = DELETED
    for number, root in enumerate((tree.getroot(), later), 1):
        (folder / f"day{number}").mkdir(parents=True)
        path = folder / f"day{number}" / "a.xml"
        path.write_bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))
    return folder


@pytest.fixture(scope="module")
def gone(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunResult]]:
    """A first run, the update that a fault broke off, two that followed, and their watermark."""
    folder, clock, runs = tmp_path_factory.mktemp("gone"), Clock(), []
    with serving(days(folder / "corpus"), rate_limit=False) as server:
        query = f"all[sb] NOT (series[ti] AND {LEFT}[uid])"
        ncbi = {"base_url": server.base_url, "email": "test@example.org"}
        asked = config.model_copy(
            update={
                "source": "pubmed",
                "query": query,
                "ncbi": config.ncbi.model_copy(update=ncbi),
            }
        )
        review = Review(folder / "review", asked, now=clock)
        runs.append(update.run(review, argv=["run"]))
        server.set_day(2)
        clock.time += timedelta(days=30)
        for _ in range(2):
            runs.append(update.update(review, argv=["update"]))
            clock.time += timedelta(days=30)
        with review.store() as store:
            mark = store.watermark("pubmed", query)
        server.use(Scenario((Fault("500", chance=1.0, tries=10_000),)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("time.sleep", lambda _: None)
            with pytest.raises(FetchError):
                update.update(review, argv=["update"])
        with review.store() as store:
            assert store.watermark("pubmed", query) == mark
            assert store.check() == []
        yield runs


def test_a_deleted_record_leaves_the_pools_with_the_reason(gone: list[RunResult]) -> None:
    moved = gone[1].moved
    assert moved is not None
    record = next(c for c in moved.records if c.record_id == f"pmid{DELETED}")
    assert record.kind == "deleted"
    (study,) = (s for q in moved.questions for s in q.studies)
    assert (study.record_id, study.kind) == (f"pmid{DELETED}", "left")
    assert "deleted or merged" in study.reason


def test_a_record_that_left_the_query_is_kept_and_named(gone: list[RunResult]) -> None:
    for run in gone[1:]:
        assert f"pmid{LEFT}" in {r.record_id for r in run.evidence.records}
        assert any(LEFT in warning for warning in run.evidence.search.warnings)
        assert run.evidence.missing == 0
    moved = gone[1].moved
    assert moved is not None
    record = next(c for c in moved.records if c.record_id == f"pmid{LEFT}")
    assert any("the query finds it no more; it is kept" in cause for cause in record.causes)
    assert "the record was revised in its source" in record.causes


def test_the_next_update_says_nothing_of_it_again(gone: list[RunResult]) -> None:
    moved = gone[2].moved
    assert moved is not None
    assert moved.nothing
