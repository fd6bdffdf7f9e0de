"""Runs the stages in their order, fetch to report: the only module that knows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import runs
from pipeline.answer import answer
from pipeline.config import Config
from pipeline.effects.choose import check_questions
from pipeline.errors import NothingFoundError, OutputError, StoreError, UnreviewedError
from pipeline.evidence import counted, read
from pipeline.fetch import eutils
from pipeline.fetch.files import read_records
from pipeline.gather import Gathered, fetch, refresh, search
from pipeline.living import check_conclusions, movement
from pipeline.present import flow_of, report_data
from pipeline.reading import published
from pipeline.report import write_report, write_update
from pipeline.report.files import write_file
from pipeline.review_folder import Progress, Review
from pipeline.schema import Answered, Evidence, Flow, Movement, Problem, QuestionResult, Search
from pipeline.store import Store

__all__ = [
    "RunResult",
    "analyse",
    "extract_file",
    "fetch",
    "fetch_alone",
    "plan",
    "read",
    "run",
    "search",
    "update",
]


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found and where its report lies."""

    run_id: str
    folder: Path
    evidence: Evidence
    flow: Flow
    results: tuple[QuestionResult, ...]
    files: tuple[Path, ...]
    moved: Movement | None = None
    gathered: Gathered | None = None


def fetch_alone(review: Review, store: Store) -> Search:
    """Fetch, and write what happens to corpus/log.jsonl."""
    run_id = runs.run_id_of(review.now(), review.config)
    with runs.logged(review, review.folder / "corpus" / "log.jsonl", run_id) as logged:
        return fetch(logged, store).search


def analyse(review: Review, evidence: Evidence) -> tuple[QuestionResult, ...]:
    """Answer each question of the protocol from the eligible studies.

    Raises
    ------
    UnreviewedError
        If the protocol wants reviewed values only and a pool holds others.
    """
    pairs = zip(evidence.studies, evidence.screenings, strict=True)
    eligible = [study for study, screening in pairs if screening.include]
    results = []
    for i, question in enumerate(review.config.questions, 1):
        results.append(answer(question, review.config, eligible))
        review.progress("pool", i, len(review.config.questions))
    if review.config.review.require_reviewed:
        _refuse_unreviewed(results)
    return tuple(results)


def run(
    review: Review,
    *,
    argv: Sequence[str],
    output: Path | None = None,
    refetch: bool = True,
    as_of: str | None = None,
) -> RunResult:
    """Do everything from the search to the report.

    Parameters
    ----------
    review : Review
    argv : sequence of str
        The command line, for the manifest.
    output : Path, optional
        The folder for the report; by default outputs/<UTC time>-<short hash>.
    refetch : bool
        Whether to search again; otherwise the latest stored search is used.
    as_of : str, optional
        A day, YYYY-MM-DD: what the review would have been with the records known by then. What is
        stored is used; only an empty store is filled first.

    Raises
    ------
    PipelineError
        Of the class that says what went wrong; what was fetched before is kept.
    """

    def gathered(logged: Review, store: Store) -> Gathered:
        last = store.latest_search()
        if as_of is not None and last is not None:
            return Gathered(last)
        return fetch(logged, store) if refetch else stored(store)

    return _run(review, gathered, argv=argv, output=output, as_of=as_of)


def update(review: Review, *, argv: Sequence[str], output: Path | None = None) -> RunResult:
    """Search again, count what came or changed, and say what moved since the last run.

    The report has update.html, update.json and update.atom beside it, where an earlier run has
    left its answers.

    Raises
    ------
    PipelineError
        As of `run`.
    """
    return _run(review, refresh, argv=argv, output=output, compared=True)


def stored(store: Store) -> Gathered:
    """Return the latest search that is stored.

    Raises
    ------
    NothingFoundError
        If there is none.
    """
    found = store.latest_search()
    if found is None:
        raise NothingFoundError(
            "Nothing was fetched yet; `evipool run` or `evipool fetch` does it."
        )
    return Gathered(found)


def _run(
    review: Review,
    gather: Callable[[Review, Store], Gathered],
    *,
    argv: Sequence[str],
    output: Path | None,
    as_of: str | None = None,
    compared: bool = False,
) -> RunResult:
    """A run from its beginning to its end in the store, however it ends."""
    check_questions(review.config.questions, review.config.outcomes)
    check_conclusions(review.config.questions)
    started = review.now()
    run_id = runs.run_id_of(started, review.config)
    place = output or review.folder / "outputs" / run_id
    with (
        review.store() as store,
        runs.logged(review, runs.output_folder(place) / "log.jsonl", run_id) as logged,
    ):
        begun = {"started": runs.iso(started), "config_sha256": runs.digest(review.config)}
        store.start_run(run_id, argv=argv, as_of=as_of, **begun)
        try:
            found = gather(logged, store)
            result = _answered(logged, store, found, run_id, place, as_of, compared)
            manifest = _manifest(review, result, argv, started)
        except BaseException:
            store.finish_run(run_id, finished=runs.iso(review.now()), status="failed")
            raise
        store.finish_run(
            run_id,
            finished=runs.iso(review.now()),
            status="incomplete" if result.evidence.missing else "complete",
            manifest=str(manifest),
            search_id=result.evidence.search.search_id,
            results=result.results,
            counted=counted(result.evidence, store),
        )
    if output is None and as_of is None:
        runs.point_to(review.folder / "outputs", run_id)
        runs.publish_feed(review.folder / "outputs", run_id)
    return result


def _answered(
    review: Review,
    store: Store,
    found: Gathered,
    run_id: str,
    folder: Path,
    as_of: str | None,
    compared: bool,
) -> RunResult:
    """The stages after the fetch, in their order."""
    evidence = read(review, store, found.search, as_of=as_of)
    results = analyse(review, evidence)
    review.tell("pooled", step="pool", pooled=sum(r.pooled is not None for r in results))
    flow = flow_of(evidence, results)
    data = report_data(review.config, evidence, flow, results)
    written = write_report(data, folder)
    moved = _moved(review, store, run_id, evidence, results) if compared else None
    if moved is not None:
        written += write_update(moved, data, folder, now=runs.iso(review.now()))
    review.tell("written", step="report", files=len(written))
    return RunResult(run_id, folder, evidence, flow, results, tuple(written), moved, found)


def _moved(
    review: Review,
    store: Store,
    run_id: str,
    evidence: Evidence,
    results: tuple[QuestionResult, ...],
) -> Movement | None:
    """What moved since the run whose answers stand; None if there is none that can be read."""
    try:
        before = store.latest_answered()
    except StoreError as error:
        review.tell("not_compared", level="warning", step="report", message=str(error))
        return None
    if before is None:
        return None
    ended = tuple(store.ended(evidence.search.search_id).items())
    rows = counted(evidence, store)
    after = Answered(run_id, evidence.search.date, results, rows, ended)
    return movement(before, after, review.config.questions)


def _manifest(review: Review, result: RunResult, argv: Sequence[str], started: datetime) -> Path:
    """Write manifest.json over all files of the run."""
    return runs.manifest(
        review,
        result.folder,
        run_id=result.run_id,
        argv=argv,
        started=started,
        search_id=result.evidence.search.search_id,
        flow=result.flow,
        files=result.files,
    )


def _refuse_unreviewed(results: Sequence[QuestionResult]) -> None:
    """Refuse the pools of a protocol that wants reviewed values only."""
    waiting = sorted({e.slab for r in results for e in r.effects if not e.reviewed})
    if waiting:
        raise UnreviewedError(
            f"{len(waiting)} studies hold unreviewed values, which review.require_reviewed "
            f"forbids: {', '.join(waiting)}."
        )


def extract_file(
    source: Path, target: Path, config: Config, progress: Progress, *, jobs: int = 1
) -> tuple[int, list[Problem]]:
    """Read the records of a file into a JSON Lines file of studies, in `jobs` processes.

    Returns
    -------
    n : int
        How many records were written.
    problems : list of Problem
        Lines and records of the file that could not be read.

    Raises
    ------
    InputError
        If the file cannot be read at all.
    OutputError
        If `target` cannot be written; it is then as it was.
    PipelineError
        If a process ends before its work; `target` is then as it was.
    """
    place = target.resolve()
    if place.exists() and not place.is_file():
        raise OutputError(f"Cannot write {target}: it is no regular file.")
    records, problems = read_records(source)
    read = published(records, config, progress, jobs=jobs)
    lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in read]
    write_file(place, "".join(lines).encode())
    return len(records), problems


def plan(review: Review, found: Search) -> list[str]:
    """Say what a run would do with a search, and how long the fetch would take at least."""
    n = len(found.record_ids)
    lines = [f"Would read {n} records and answer {len(review.config.questions)} questions."]
    if found.source == "pubmed":
        calls = eutils.plan(found, review.config)
        lines.append(f"Fetch: {calls.requests} requests, {calls.seconds:.0f} s or more.")
    return [*lines, "Nothing was written."]
