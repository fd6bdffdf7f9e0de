"""A review lives: five waves of the shipped corpus, an erratum, a retraction, two corrections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from pipeline import update
from pipeline.config import Config
from pipeline.eutils_server import Server, serving
from pipeline.review import Writer, decide, lay
from pipeline.review_folder import Review
from pipeline.schema import Movement, QuestionResult, RecordChange, Search
from pipeline.update import RunResult

REPO = Path(__file__).parents[2]
#: The last year of each wave.
YEARS = (2000, 2009, 2013, 2017, 9999)
#: Studies of the shipped corpus that some question pools.
ERRATUM, RETRACTED = "9549518", "28768822"
CORRECTED = (("pmid18178525", "comparator_events", 14), ("pmid19168191", "events", 4))


@dataclass
class Clock:
    """A clock that goes on by a second each time it is read, and by `days` when told."""

    time: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 6, tzinfo=UTC))

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    def wait(self, days: int) -> None:
        """Let days go by."""
        self.time += timedelta(days=days)


def noticed(article: etree._Element, ref_type: str, publication_type: str = "") -> etree._Element:
    """The record of an article as it is after a notice on it was published."""
    article = deepcopy(article)
    citation = article.find("MedlineCitation")
    assert citation is not None
    links = etree.SubElement(citation, "CommentsCorrectionsList")
    link = etree.SubElement(links, "CommentsCorrections", RefType=ref_type)
    etree.SubElement(link, "RefSource").text = "J Invent Trials. 2026"
    if publication_type:
        types = citation.find("Article/PublicationTypeList")
        if types is None:
            types = etree.SubElement(citation.find("Article"), "PublicationTypeList")
        etree.SubElement(types, "PublicationType", UI="D016441").text = publication_type
    return article


def days(folder: Path) -> Path:
    """The shipped corpus by year in five days; notices come with the fourth and the fifth."""
    tree = etree.parse(str(REPO / "corpus" / "demo" / "evipool-demo.xml"))
    articles = {str(a.findtext(".//PMID")): a for a in tree.getroot()}
    waves: list[list[etree._Element]] = [[] for _ in YEARS]
    for article in articles.values():
        year = int(article.findtext(".//PubDate/Year") or 0)
        waves[next(i for i, last in enumerate(YEARS) if year <= last)].append(article)
    waves[3].append(noticed(articles[ERRATUM], "ErratumIn"))
    waves[4].append(noticed(articles[RETRACTED], "RetractionIn", "Retracted Publication"))
    for number, wave in enumerate(waves, 1):
        (folder / f"day{number}").mkdir(parents=True)
        root = etree.Element("PubmedArticleSet")
        root.extend(deepcopy(article) for article in wave)
        path = folder / f"day{number}" / "articles.xml"
        path.write_bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))
    return folder


@dataclass
class Story:
    """The runs of the waves, the one that found nothing new, and that over everything."""

    review: Review
    runs: list[RunResult]
    idle: RunResult
    idle_fetches: int
    whole: RunResult


def correct(review: Review, record_id: str, name: str, value: int) -> None:
    """A reviewer corrects the first count of that name in a record's responders."""
    with review.store(alone=False) as store:
        found = store.latest_search()
        assert found is not None
        record = store.record(record_id)
        assert record is not None
        answered = store.latest_answered()
        assert answered is not None
        study = next(c.study for c in answered.counted if c.record_id == record_id)
        states = lay(study, store.events(record_id), text=record.text).waiting
        state = next(s for s in states if s.field.path.endswith(f".{name}"))
        writer = Writer("Li", review.now().isoformat(), "test")
        store.add_decision(decide(state, "corrected", writer, record, value=value))


def on(server: Server, config: Config) -> Config:
    """The protocol, asking this server for all records."""
    ncbi = config.ncbi.model_copy(
        update={"base_url": server.base_url, "email": "test@example.org", "batch_size": 200}
    )
    return config.model_copy(update={"source": "pubmed", "query": "all[sb]", "ncbi": ncbi})


@pytest.fixture(scope="module")
def story(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Live through the waves, then run once over everything with the same decisions."""
    folder, clock, runs = tmp_path_factory.mktemp("story"), Clock(), []
    with serving(days(folder / "corpus"), rate_limit=False) as server:
        review = Review(folder / "living", on(server, config), now=clock)
        for day in range(1, 6):
            server.set_day(day)
            runs.append(update.update(review, argv=["update"]))
            if day in (2, 3):
                correct(review, *CORRECTED[day - 2])
            clock.wait(30)
        clock.wait(-30)
        before = len(server.journal.of("efetch"))
        idle = update.update(review, argv=["update"])
        idle_fetches = len(server.journal.of("efetch")) - before
        fresh = replace(review, folder=folder / "whole")
        with review.store(alone=False) as one, fresh.store() as other:
            other.merge_events(one.events())
        whole = update.run(fresh, argv=["run"])
        yield Story(review, runs, idle, idle_fetches, whole)


def numbers(results: tuple[QuestionResult, ...]) -> dict[str, Any]:
    """What a run answers to each question, its studies in order of their ids."""
    return {
        r.question_id: (
            sorted((e.record_id, e.yi, e.vi, e.reviewed) for e in r.effects),
            None
            if r.pooled is None
            else [
                pytest.approx(x, rel=1e-9)
                for x in (r.pooled.estimate, r.pooled.ci_lb, r.pooled.ci_ub, r.pooled.tau2)
            ],
        )
        for r in results
    }


def moved(run: RunResult) -> Movement:
    """What a run says moved."""
    assert run.moved is not None
    return run.moved


def others(run: RunResult) -> dict[str, RecordChange]:
    """The records that changed and are not new, by id."""
    return {c.record_id: c for c in moved(run).records if c.kind != "new"}


def new(run: RunResult) -> set[str]:
    """The ids of the new records."""
    return {c.record_id for c in moved(run).records if c.kind == "new"}


def came(run: RunResult) -> dict[str, str]:
    """What became of each study whose part in a pool is another one."""
    return {s.record_id: s.kind for q in moved(run).questions for s in q.studies}


def test_the_waves_end_in_the_estimates_of_a_single_run(story: Story) -> None:
    assert any(r.pooled for r in story.whole.results)
    assert numbers(story.runs[-1].results) == numbers(story.whole.results)
    assert story.runs[-1].flow == story.whole.flow


def test_the_first_run_has_nothing_to_compare_with(story: Story) -> None:
    assert story.runs[0].moved is None
    assert not (story.runs[0].folder / "update.html").exists()


def test_each_update_names_the_new_records_and_no_other(story: Story) -> None:
    for before, after in zip(story.runs, story.runs[1:], strict=False):
        old, now = ({r.record_id for r in run.evidence.records} for run in (before, after))
        assert new(after) == now - old
        assert new(after)


def test_each_update_names_exactly_what_else_changed(story: Story) -> None:
    second, third, fourth, fifth = (others(run) for run in story.runs[1:])
    assert second == {}
    ((hughes, change),) = third.items()
    assert hughes == CORRECTED[0][0]
    assert change.causes == ("1 decision of a reviewer",)
    assert [(v.before, v.after) for v in change.values] == [("12", "14")]
    assert {i: c.kind for i, c in fourth.items()} == {
        CORRECTED[1][0]: "changed",
        f"pmid{ERRATUM}": "changed",
    }
    assert any("erratum" in cause for cause in fourth[f"pmid{ERRATUM}"].causes)
    assert {i: c.kind for i, c in fifth.items()} == {f"pmid{RETRACTED}": "retracted"}


def test_each_update_names_the_studies_that_moved_a_pool(story: Story) -> None:
    corrected = {record_id: "changed" for record_id, _, _ in CORRECTED}
    third, fourth, fifth = (came(run) for run in story.runs[2:])
    assert third == {"pmid24725024": "came", "pmid18178525": corrected["pmid18178525"]}
    assert fourth == {f"pmid{RETRACTED}": "came", "pmid19168191": "changed"}
    assert fifth == {"pmid33766992": "came", f"pmid{RETRACTED}": "retracted"}


def test_the_pull_of_a_study_is_the_estimate_with_less_that_without(story: Story) -> None:
    fifth = next(q for q in moved(story.runs[4]).questions if q.question_id.startswith("single"))
    (left,) = fifth.studies
    assert fifth.before is not None
    assert fifth.after is not None
    assert left.pull == pytest.approx(fifth.after.estimate - fifth.before.estimate)


def test_an_update_with_nothing_new_fetches_no_body_and_says_so(story: Story) -> None:
    assert story.idle_fetches == 0
    assert story.idle.gathered is not None
    assert (story.idle.gathered.new, story.idle.gathered.again) == (0, 0)
    assert moved(story.idle).nothing
    assert "Nothing is new" in (story.idle.folder / "update.html").read_text(encoding="utf-8")
    log = (story.idle.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    (read,) = (e for e in map(json.loads, log) if e["event"] == "read")
    assert read["fresh"] == 0


def test_only_new_and_included_records_are_fetched(story: Story) -> None:
    for before, after in zip(story.runs, story.runs[1:], strict=False):
        included = sum(s.include for s in before.evidence.screenings)
        assert after.gathered is not None
        assert after.gathered.new == len(new(after))
        assert after.gathered.again == included


def test_no_version_of_a_record_was_overwritten(story: Story) -> None:
    with story.review.store() as store:
        assert store.check() == []
        (first, *_), found = store.runs(), store.latest_search()
        assert isinstance(found, Search)
        old = store.versions_by(found.search_id, first.started[:10])
        now = {r.record_id: r for r in store.records(found.search_id)}
        for pmid in (ERRATUM,):
            assert not old[f"pmid{pmid}"].corrections
            assert now[f"pmid{pmid}"].corrections


def test_the_history_holds_every_run(story: Story) -> None:
    with story.review.store() as store:
        rows = store.history("single_arm_responders")
    assert [len(result.effects) for _, _, result in rows] == [1, 2, 2, 3, 2, 2]


def test_the_feed_at_the_address_that_stays_is_of_the_latest_update(story: Story) -> None:
    feed = (story.idle.folder.parent / "update.atom").read_text(encoding="utf-8")
    assert f'href="{story.idle.run_id}/update.html"' in feed
    assert "Nothing new since" in feed


def test_the_feed_and_the_page_are_well_formed_and_carry_the_retraction(story: Story) -> None:
    folder = story.runs[4].folder
    feed = etree.parse(str(folder / "update.atom")).getroot()
    atom = "{http://www.w3.org/2005/Atom}"
    assert feed.tag == f"{atom}feed"
    assert {"id", "title", "updated", "author", "entry"} <= {
        str(child.tag).removeprefix(atom) for child in feed
    }
    page = (folder / "update.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "retracted" in page
    facts = json.loads((folder / "update.json").read_text(encoding="utf-8"))
    assert facts["nothing_new"] is False
    assert [r["record_id"] for r in facts["records"] if r["kind"] == "retracted"] == [
        f"pmid{RETRACTED}"
    ]
