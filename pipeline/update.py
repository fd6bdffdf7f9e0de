"""Runs the stages in their order, fetch to report: the only module that knows it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.answer import answer
from pipeline.config import Config
from pipeline.effects.choose import check_questions
from pipeline.errors import (
    ConfigError,
    NothingFoundError,
    OutputError,
    PipelineError,
    UnreviewedError,
)
from pipeline.extract.reader import Reader
from pipeline.fetch import SOURCES, Source, eutils
from pipeline.fetch.files import read_records
from pipeline.present import flow_of, report_data
from pipeline.reading import published
from pipeline.report import write_report
from pipeline.report.files import write_file
from pipeline.report.manifest import read_environment, write_manifest
from pipeline.review import effective, screened
from pipeline.review_folder import Progress, Review
from pipeline.runlog import RunLog
from pipeline.schema import (
    Batch,
    Event,
    Evidence,
    Flow,
    Problem,
    QuestionResult,
    Record,
    Screening,
    Search,
    Study,
)
from pipeline.schema.events import to_all
from pipeline.screen import screen
from pipeline.store import Store


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found and where its report lies."""

    run_id: str
    folder: Path
    evidence: Evidence
    flow: Flow
    results: tuple[QuestionResult, ...]
    files: tuple[Path, ...]


def search(review: Review) -> Search:
    """Ask the source; nothing is kept.

    Raises
    ------
    ConfigError
        If the source is unknown, or the protocol lacks what it needs.
    NothingFoundError
        If it has no hit.
    """
    today = review.now().date().isoformat()
    found = _source(review.config).search(review.config, today=today, tell=review.tell)
    if not found.record_ids:
        raise NothingFoundError(f"No record for {found.query!r} in {found.source}.")
    review.tell(
        "searched",
        level="warning" if found.warnings else "info",
        step="fetch",
        search_id=found.search_id,
        source=found.source,
        query=found.query,
        translation=found.translation,
        warnings=list(found.warnings),
        count=found.count,
        duplicates=found.duplicates,
    )
    return found


def fetch(review: Review, store: Store) -> Search:
    """Search and fetch what is not stored yet; each batch is kept before the next is asked for."""
    found = search(review)
    store.save_search(found)
    batches = _source(review.config).fetch(
        found,
        review.config,
        skip=store.known_ids(found.search_id),
        progress=lambda done, total: review.progress("fetch", done, total),
        tell=review.tell,
    )
    for batch in batches:
        store.save_batch(found.search_id, batch, fetched_at=_iso(review.now()))
        review.tell("batch", step="fetch", name=batch.name, **_reconciled(batch))
    stored = len(store.known_ids(found.search_id))
    review.tell(
        "fetched",
        level="info" if stored == len(found.record_ids) else "warning",
        step="fetch",
        search_id=found.search_id,
        count=found.count,
        stored=stored,
    )
    return found


def fetch_alone(review: Review, store: Store) -> Search:
    """Fetch, and write what happens to corpus/log.jsonl."""
    run_id = _run_id(review.now(), review.config)
    with _logged(review, review.folder / "corpus" / "log.jsonl", run_id) as logged:
        return fetch(logged, store)


def _reconciled(batch: Batch) -> dict[str, Any]:
    """What was asked for = what came + what is missing for good + what is asked for again."""
    asked = batch.asked or len(batch.records)
    missing = sum(p.code == "missing_record" for p in batch.problems)
    returned = len(batch.records)
    again = asked - returned - missing
    return {"asked": asked, "returned": returned, "missing": missing, "to_retry": again}


@contextmanager
def _logged(review: Review, path: Path, run_id: str) -> Iterator[Review]:
    """The review with all that happens in it written to a log, how it failed too."""
    log = RunLog(path, run_id, review.now)
    try:
        yield replace(review, tell=to_all(log, review.tell))
    except BaseException as error:
        said = {"message": str(error)} if isinstance(error, PipelineError) else {}
        log("failed", level="error", error=type(error).__name__, **said)
        raise
    finally:
        log.close()


def read(review: Review, store: Store, found: Search) -> Evidence:
    """Read and screen the records of a search; a text that was read before is not read again.

    What people decided outranks both: the studies and screenings are those that count.
    """
    records = store.records(found.search_id)
    reader = Reader(review.config.eligibility, review.config.outcomes)
    known = store.extractions(found.search_id, reader.extractor)
    fresh: list[tuple[Study, str]] = []
    for i, record in enumerate(records, 1):
        if record.record_id not in known:
            known[record.record_id] = reader.read(record)
            fresh.append((known[record.record_id], record.content_hash))
        review.progress("extract", i, len(records))
    store.save_extractions(fresh)
    decided = _decided(records, store)
    counted = [_counted(review.config, r, known[r.record_id], events) for r, events in decided]
    return Evidence(
        found,
        tuple(records),
        tuple(study for study, _ in counted),
        tuple(screening for _, screening in counted),
        tuple(store.problems(found.search_id)),
    )


def _decided(records: Sequence[Record], store: Store) -> Iterator[tuple[Record, list[Event]]]:
    """Each record with what people decided on it."""
    by_record: dict[str, list[Event]] = defaultdict(list)
    for event in store.events():
        by_record[event.decision.record_id].append(event)
    return ((record, by_record.get(record.record_id, [])) for record in records)


def _counted(
    config: Config, record: Record, study: Study, events: Sequence[Event]
) -> tuple[Study, Screening]:
    """A study and its screening as they count: by reader and rule, then by what people decided."""
    mode, consensus = config.review.mode, config.review.consensus
    study = effective(study, events, mode, text=record.text, consensus=consensus)
    by_rule = screen(record, study, config.eligibility)
    return study, screened(by_rule, events, mode, consensus=consensus)


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
    review: Review, *, argv: Sequence[str], output: Path | None = None, refetch: bool = True
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

    Raises
    ------
    PipelineError
        Of the class that says what went wrong; what was fetched before is kept.
    """
    check_questions(review.config.questions, review.config.outcomes)
    started = review.now()
    run_id = _run_id(started, review.config)
    place = output or review.folder / "outputs" / run_id
    with (
        review.store() as store,
        _logged(review, _output_folder(place) / "log.jsonl", run_id) as logged,
    ):
        store.start_run(
            run_id, started=_iso(started), argv=argv, config_sha256=_digest(review.config)
        )
        try:
            result = _steps(logged, store, run_id, place, refetch=refetch)
            manifest = _manifest(review, result, argv, started)
        except BaseException:
            store.finish_run(run_id, finished=_iso(review.now()), status="failed")
            raise
        store.finish_run(
            run_id,
            finished=_iso(review.now()),
            status="incomplete" if result.evidence.missing else "complete",
            manifest=str(manifest),
            search_id=result.evidence.search.search_id,
        )
    if output is None:
        _point_to(review.folder / "outputs", run_id)
    return result


def _steps(review: Review, store: Store, run_id: str, folder: Path, *, refetch: bool) -> RunResult:
    """The stages in their order."""
    found = fetch(review, store) if refetch else store.latest_search()
    if found is None:
        raise NothingFoundError(
            "Nothing was fetched yet; `evipool run` or `evipool fetch` does it."
        )
    evidence = read(review, store, found)
    records, problems = len(evidence.records), len(evidence.problems)
    review.tell("read", step="extract", records=records, problems=problems)
    results = analyse(review, evidence)
    review.tell("pooled", step="pool", pooled=sum(r.pooled is not None for r in results))
    flow = flow_of(evidence, results)
    data = report_data(review.config, evidence, flow, results)
    written = write_report(data, folder)
    review.tell("written", step="report", files=len(written))
    return RunResult(run_id, folder, evidence, flow, results, tuple(written))


def _source(config: Config) -> Source:
    """The source that the protocol names."""
    if config.source not in SOURCES:
        raise ConfigError(f"Invalid source {config.source!r}; must be one of {', '.join(SOURCES)}.")
    return SOURCES[config.source]


def _refuse_unreviewed(results: Sequence[QuestionResult]) -> None:
    """Refuse the pools of a protocol that wants reviewed values only."""
    waiting = sorted({e.slab for r in results for e in r.effects if not e.reviewed})
    if waiting:
        raise UnreviewedError(
            f"{len(waiting)} studies hold unreviewed values, which review.require_reviewed "
            f"forbids: {', '.join(waiting)}."
        )


def _output_folder(folder: Path) -> Path:
    """Make the folder for a report."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {folder}: {error.strerror}.") from error
    return folder


def _point_to(outputs: Path, run_id: str) -> None:
    """Name the latest run in outputs/latest.json (links fail on Windows)."""
    pointer = {"run_id": run_id, "report": f"{run_id}/report.html"}
    write_file(outputs / "latest.json", (json.dumps(pointer) + "\n").encode())


def _run_id(started: datetime, config: Config) -> str:
    """UTC time and a short hash: 20261122T180000Z-1a2b3c."""
    stamp = started.strftime("%Y%m%dT%H%M%S%fZ")
    short = hashlib.sha256((stamp + _digest(config)).encode()).hexdigest()[:6]
    return f"{started.strftime('%Y%m%dT%H%M%SZ')}-{short}"


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


def _manifest(review: Review, result: RunResult, argv: Sequence[str], started: datetime) -> Path:
    """Write manifest.json over all files of the run."""
    models = {
        q.id: {"measure": q.measure, **q.model.model_dump(mode="json")}
        for q in review.config.questions
    }
    flow = result.flow
    return write_manifest(
        result.folder,
        run_id=result.run_id,
        started=_iso(started),
        ended=_iso(review.now()),
        argv=argv,
        environment=read_environment(__version__, Path(__file__).parents[1]),
        config=review.config.model_dump(mode="json"),
        search_ids=[result.evidence.search.search_id],
        inputs=[p for p in (review.folder / "corpus" / "raw").rglob("*") if p.is_file()],
        outputs=result.files,
        counts={
            "identified": flow.identified,
            "duplicates": flow.duplicates,
            "screened": flow.screened,
            "included": flow.included,
            "in_meta_analysis": flow.in_meta_analysis,
            **dict(flow.excluded),
            **dict(flow.extra),
        },
        models={k: {a: str(b) for a, b in v.items()} for k, v in models.items()},
    )


def _digest(config: Config) -> str:
    """SHA-256 of the protocol, secrets masked."""
    return hashlib.sha256(config.model_dump_json().encode()).hexdigest()


def _iso(time: datetime) -> str:
    """ISO 8601, to the second."""
    return time.isoformat(timespec="seconds")
