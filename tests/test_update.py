"""A whole run on the shipped corpus: the same bytes again, nothing lost, each number traceable."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline import gather, update
from pipeline.config import Config, load
from pipeline.errors import (
    ConfigError,
    LockedError,
    NothingFoundError,
    OutputError,
    UnreviewedError,
)
from pipeline.extract.reader import Reader
from pipeline.fetch import SOURCES
from pipeline.review_folder import Review
from pipeline.schema import NotPooled, QuestionResult, Quote, Record
from pipeline.update import RunResult

SEED = "pmid19168191"
#: "Pain, assessed by the determination of mean VAS score, was reduced by 73.4%": the seed abstract.
FALL = "73.4"


@dataclass
class Clock:
    """A clock that goes on by a second each time it is read."""

    time: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 18, tzinfo=UTC))

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


def go(review: Review, **options: Any) -> RunResult:
    """Run everything."""
    return update.run(review, argv=["run"], **options)


def derived(folder: Path) -> dict[str, bytes]:
    """The tables and plots of a run, by name."""
    files = [p for p in folder.rglob("*") if p.suffix in (".csv", ".svg", ".html")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@dataclass(frozen=True)
class Two:
    """Two runs in one folder, and how many texts each read."""

    review: Review
    first: RunResult
    second: RunResult
    reads: tuple[int, int]


@pytest.fixture(scope="module")
def two(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Two:
    """Run twice; the tests that share it write nothing into its folder."""
    review = Review(tmp_path_factory.mktemp("review"), config, now=Clock())
    read, reads = Reader.read, []

    def counted(self: Reader, record: Record) -> Any:
        reads.append(record.record_id)
        return read(self, record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reader, "read", counted)
        first = go(review)
        n = len(reads)
        second = go(review)
    return Two(review, first, second, (n, len(reads) - n))


@pytest.fixture
def review(two: Two, config: Config, tmp_path: Path) -> Review:
    """An empty review of the shipped protocol."""
    return Review(tmp_path / "review", config, now=Clock())


def result_of(run: RunResult, question: str) -> QuestionResult:
    """What a run says to a question."""
    return next(r for r in run.results if r.question_id == question)


# The same bytes


def test_a_second_run_writes_the_same_tables_plots_and_page(two: Two) -> None:
    first, second = derived(two.first.folder), derived(two.second.folder)
    assert two.first.folder != two.second.folder
    assert {"report.html", "tables/estimates.csv"} < set(first)
    assert {f"forest_{r.question_id}.svg" for r in two.first.results if r.effects} < set(first)
    assert [name for name in first if first[name] != second.get(name)] == []


def test_a_run_in_another_folder_on_another_day_gives_the_same_bytes(
    two: Two, review: Review
) -> None:
    later = replace(review, now=Clock(datetime(2027, 3, 1, tzinfo=UTC)))
    assert derived(go(later).folder) == derived(two.first.folder)


def test_a_second_run_reads_no_text_again(two: Two) -> None:
    assert two.reads == (36, 0)  # corpus/demo/README.md: 36 publications


def test_a_second_run_keeps_no_answer_twice(two: Two) -> None:
    raw = [p for p in (two.review.folder / "corpus" / "raw").rglob("*") if p.is_file()]
    assert len(raw) == 1
    with two.review.store() as store:
        assert [run.status for run in store.runs()] == ["complete", "complete"]
        assert store.check() == []


def test_an_edited_protocol_reads_again_as_a_new_review_of_it_would(
    two: Two, review: Review
) -> None:
    """What was read with other terms must not stand in for what these terms read."""
    eligibility = two.review.config.eligibility
    terms = tuple(t for t in eligibility.intervention.terms if "Ig" not in t)
    changed = eligibility.model_copy(
        update={"intervention": eligibility.intervention.model_copy(update={"terms": terms})}
    )
    config = two.review.config.model_copy(update={"eligibility": changed})
    go(review)
    edited = go(replace(review, config=config))
    fresh = go(replace(review, folder=review.folder / "fresh", config=config))
    assert derived(edited.folder) == derived(fresh.folder)
    assert derived(edited.folder) != derived(two.first.folder)


# Runs that end early


def stop(*_: Any, **__: Any) -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def stop_at(step: str, count: int) -> Callable[[str, int, int], None]:
    """A watcher that interrupts when a step has done so many."""

    def watch(name: str, done: int, _: int) -> None:
        if name == step and done >= count:
            raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize(("step", "count"), [("fetch", 1), ("extract", 10), ("pool", 2)])
def test_an_interrupted_run_leaves_the_store_whole_and_the_next_completes(
    two: Two, review: Review, step: str, count: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(replace(review, progress=stop_at(step, count)))
    with review.store() as store:
        assert [run.status for run in store.runs()] == ["failed"]
        assert store.check() == []
    assert not (review.folder / "outputs" / "latest.json").exists()
    assert derived(go(review).folder) == derived(two.first.folder)


def test_what_a_killed_run_left_is_removed_under_the_lock_alone(review: Review) -> None:
    go(review)
    (folder,) = (review.folder / "corpus" / "raw").iterdir()
    left = folder / ".efetch-0001.xml.gz.4242.part"
    left.write_bytes(b"half")
    with review.store(alone=False):
        assert left.exists()  # a run at work may be writing it
    with review.store():
        assert not left.exists()


def test_a_run_that_is_locked_out_leaves_nothing(review: Review) -> None:
    with review.store(), pytest.raises(LockedError):
        go(review)
    assert not (review.folder / "outputs").exists()


def test_a_run_that_fails_at_its_source_says_why_in_its_log(review: Review) -> None:
    config = review.config.model_copy(update={"source": "pubmed", "query": " "})
    with pytest.raises(ConfigError):
        go(replace(review, config=config))
    (log,) = (review.folder / "outputs").glob("*/log.jsonl")
    (event,) = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    assert (event["event"], event["level"], event["error"]) == ("failed", "error", "ConfigError")
    assert "The query is empty" in event["message"]


def test_the_watermark_moves_when_a_run_is_complete(review: Review) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(replace(review, progress=stop_at("pool", 2)))
    with review.store() as store:
        found = store.latest_search()
        assert found is not None
        assert store.watermark("demo", found.query) is None
    go(review)
    with review.store() as store:
        assert store.watermark("demo", found.query) == found.date


def test_a_run_interrupted_while_it_writes_does_not_become_the_latest(
    two: Two, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = go(review)
    with monkeypatch.context() as patch:
        patch.setattr(update, "write_report", stop)
        with pytest.raises(KeyboardInterrupt):
            go(review)
    latest = json.loads((review.folder / "outputs" / "latest.json").read_text())
    assert latest == {"run_id": done.run_id, "report": f"{done.run_id}/report.html"}


def test_two_runs_do_not_work_on_one_review_at_once(review: Review) -> None:
    with review.store(), pytest.raises(LockedError, match="Another run works on"):
        go(review)
    assert go(review).flow.identified == 36


def test_reviewed_values_may_be_demanded(two: Two, review: Review) -> None:
    strict = two.review.config.review.model_copy(update={"require_reviewed": True})
    config = two.review.config.model_copy(update={"review": strict})
    with pytest.raises(UnreviewedError) as caught:
        go(replace(review, config=config))
    pooled = {e.slab for result in two.first.results for e in result.effects}
    assert pooled
    assert all(slab in str(caught.value) for slab in pooled)
    with review.store() as store:
        assert [run.status for run in store.runs()] == ["failed"]


def test_an_unknown_source_is_refused_with_the_known_ones(review: Review) -> None:
    config = review.config.model_copy(update={"source": "medline"})
    with pytest.raises(ConfigError, match=r"'medline'; must be one of pubmed, files, demo"):
        update.search(replace(review, config=config))


def test_without_a_search_there_is_nothing_to_report(review: Review) -> None:
    with pytest.raises(NothingFoundError):
        go(review, refetch=False)


def test_a_report_on_what_is_stored_asks_no_source(
    two: Two, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(review)
    monkeypatch.setattr(gather, "SOURCES", {})
    assert derived(go(review, refetch=False).folder) == derived(two.first.folder)


def test_records_that_did_not_come_are_counted_and_the_run_is_incomplete(
    review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = SOURCES["demo"]

    def search(config: Config, *, today: str, **_: Any) -> Any:
        found = demo.search(config, today=today)
        return replace(found, record_ids=(*found.record_ids, "pmid1"), count=found.count + 1)

    def fetch(found: Any, config: Config, **options: Any) -> Any:
        return demo.fetch(demo.search(config, today=""), config, **options)

    monkeypatch.setattr(gather, "SOURCES", {"demo": SimpleNamespace(search=search, fetch=fetch)})
    run = go(review)
    assert run.evidence.missing == 1
    assert run.flow.extra == (("not fetched", 1),)
    with review.store() as store:
        assert [r.status for r in store.runs()] == ["incomplete"]


def test_a_study_that_was_retracted_since_leaves_the_pools(review: Review, tmp_path: Path) -> None:
    line = {
        "pmid": "90000001",
        "title": "Immunoglobulin in CIDP: an open, prospective, uncontrolled study",
        "abstract": "Ten patients with CIDP were treated with IVIg. 7 of 10 patients responded.",
    }
    path = tmp_path / "a.jsonl"
    config = review.config.model_copy(update={"source": "files", "files": (path,)})
    codes = []
    for types in ([], ["Retracted Publication"]):
        path.write_text(json.dumps({**line, "publication_types": types}), encoding="utf-8")
        (screening,) = go(replace(review, config=config)).evidence.screenings
        codes.append((screening.include, screening.code))
    assert codes == [(True, "eligible"), (False, "retracted")]


def test_a_paper_that_two_files_hold_is_counted_as_a_duplicate_and_pooled_once(
    review: Review, tmp_path: Path
) -> None:
    """A PMID in one file, the DOI alone in the other."""
    line = {
        "pmid": "90000001",
        "doi": "10.5555/one",
        "title": "Immunoglobulin in CIDP: an open, prospective, uncontrolled study",
        "abstract": "Ten patients with CIDP were treated with IVIg. 7 of 10 patients responded.",
    }
    paths = (tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    for path, changes in zip(paths, ({}, {"pmid": None, "record_id": "mine-1"}), strict=True):
        path.write_text(json.dumps({**line, **changes}), encoding="utf-8")
    run = go(
        replace(review, config=review.config.model_copy(update={"source": "files", "files": paths}))
    )
    assert (run.flow.identified, run.flow.duplicates, run.flow.screened) == (2, 1, 1)
    assert [p.code for p in run.evidence.problems] == ["duplicate_record"]
    manifest = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"]["duplicates"] == 1
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "Duplicates removed <strong>n = 1</strong>" in page
    assert "one DOI 10.5555/one" in page


# What was found


def test_the_boxes_of_the_flow_diagram_add_up(two: Two) -> None:
    flow, evidence = two.first.flow, two.first.evidence
    included = {s.record_id for s in evidence.screenings if s.include}
    pooled = {e.record_id for r in two.first.results if r.pooled for e in r.effects}
    assert flow.identified == flow.screened == len(evidence.records) == 36
    assert flow.screened - sum(n for _, n in flow.excluded) == flow.included == len(included)
    assert pooled <= included
    assert flow.in_meta_analysis == len(pooled)
    assert all(n > 0 for _, n in flow.excluded)


def test_at_least_three_questions_pool_two_studies_or_more(two: Two) -> None:
    pooled = {r.question_id: r.pooled.k for r in two.first.results if r.pooled}
    assert len(pooled) >= 3, pooled
    assert min(pooled.values()) >= 2


def test_the_seed_study_enters_the_responders_as_five_of_five(two: Two) -> None:
    """Its abstract: "All five patients showed a remarkable improvement"."""
    result = result_of(two.first, "single_arm_responders")
    (seed,) = (e for e in result.effects if e.record_id == SEED)
    assert dict(seed.columns) == {"Events": "5", "Total": "5"}
    assert any("five patients" in quote.text for quote in seed.quotes)
    assert any("1/2" in sentence for sentence in seed.recovered)  # 5 of 5: an empty cell


def test_the_seed_studys_fall_in_pain_is_shown_with_reason_and_quote_and_not_pooled(
    two: Two,
) -> None:
    result = result_of(two.first, "pain_before_after")
    assert SEED not in {e.record_id for e in result.effects}
    (seed,) = (n for n in result.not_pooled if n.record_id == SEED)
    assert f"-{FALL}" in seed.printed.replace("−", "-")
    assert "without a spread" in seed.reason
    assert seed.quote is not None
    assert FALL in seed.quote.text


def quotes(run: RunResult) -> list[Quote]:
    """Every quote behind the effect sizes and the refusals of a run."""
    refused: list[NotPooled] = [n for r in run.results for n in r.not_pooled]
    effects = [q for r in run.results for e in r.effects for q in e.quotes]
    return effects + [n.quote for n in refused if n.quote]


def test_each_quote_stands_in_the_stored_record_where_it_says(two: Two) -> None:
    with two.review.store() as store:
        stored = store.records(two.first.evidence.search.search_id)
    texts = {record.record_id: record.text for record in stored}
    found = quotes(two.first)
    assert found
    for quote in found:
        assert texts[quote.record_id][quote.start : quote.end] == quote.text


def test_each_effect_rests_on_a_quote_of_its_own_study(two: Two) -> None:
    for result in two.first.results:
        for effect in result.effects:
            assert effect.quotes
            assert {q.record_id for q in effect.quotes} == {effect.record_id}


# What a run leaves behind


def test_the_manifest_holds_the_hash_of_every_input_and_output(two: Two) -> None:
    folder = two.first.folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert set(manifest["outputs"]) == files - {"manifest.json", "log.jsonl"}
    hashes = {folder / name: digest for name, digest in manifest["outputs"].items()}
    hashes |= {Path(name): digest for name, digest in manifest["inputs"].items()}
    for path, digest in hashes.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, path
    assert manifest["counts"]["identified"] == 36
    assert set(manifest["models"]) == {r.question_id for r in two.first.results}


def test_the_log_tells_each_stage_in_a_line_and_no_text_of_a_record(two: Two) -> None:
    lines = (two.first.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    assert [(e["step"], e["event"]) for e in events] == [
        ("fetch", "file"),
        ("fetch", "duplicates"),
        ("fetch", "searched"),
        ("fetch", "batch"),
        ("fetch", "fetched"),
        ("extract", "read"),
        ("pool", "pooled"),
        ("report", "written"),
    ]
    assert {e["run_id"] for e in events} == {two.first.run_id}
    assert all({"ts", "level", "event"} <= e.keys() for e in events)
    titles = [record.title for record in two.first.evidence.records]
    assert not any(title in line for line in lines for title in titles)


def test_a_folder_for_the_report_may_be_named(two: Two, review: Review, tmp_path: Path) -> None:
    run = go(review, output=tmp_path / "here")
    assert run.folder == tmp_path / "here"
    assert derived(run.folder) == derived(two.first.folder)
    assert not (review.folder / "outputs").exists()


def test_an_extraction_that_is_interrupted_leaves_the_output_as_it_was(
    config: Config, repo: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "a.xml", tmp_path / "out.jsonl"
    shutil.copy(repo / "corpus" / "demo" / "evipool-demo.xml", source)
    target.write_text("kept\n")
    with pytest.raises(KeyboardInterrupt):
        update.extract_file(source, target, config, stop_at("extract", 3))
    assert target.read_text() == "kept\n"
    assert {p.name for p in tmp_path.iterdir()} == {"a.xml", "out.jsonl"}


def test_an_extraction_into_what_is_no_folder_is_refused(
    config: Config, repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    source = repo / "corpus" / "demo" / "evipool-demo.xml"
    with pytest.raises(OutputError, match="Cannot write"):
        update.extract_file(source, tmp_path / "file" / "out", config, lambda *_: None)


def test_the_plan_of_a_fetch_counts_its_requests(repo: Path) -> None:
    """401 records, 200 a request, 3 requests a second (NCBI's limit without a key)."""
    flags = {"source": "pubmed", "ncbi.batch_size": 200}
    review = Review(Path(), load(repo / "config.yaml", flags=flags).config)
    ids = tuple(f"pmid{i}" for i in range(401))
    found = SimpleNamespace(source="pubmed", record_ids=ids)
    lines: list[str] = update.plan(review, found)  # type: ignore[arg-type]
    assert lines[1] == "Fetch: 3 requests, 1 s or more."
