"""What surrounds a run: its name, its folder, its log, its manifest, and the pointer to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipeline import __version__
from pipeline.config import Config
from pipeline.errors import OutputError, PipelineError
from pipeline.report.files import write_file
from pipeline.report.manifest import read_environment, write_manifest
from pipeline.review_folder import Review
from pipeline.runlog import RunLog
from pipeline.schema import Flow
from pipeline.schema.events import to_all


def run_id_of(started: datetime, config: Config) -> str:
    """Return UTC time and a short hash: 20261122T180000Z-1a2b3c."""
    stamp = started.strftime("%Y%m%dT%H%M%S%fZ")
    short = hashlib.sha256((stamp + digest(config)).encode()).hexdigest()[:6]
    return f"{started.strftime('%Y%m%dT%H%M%SZ')}-{short}"


def digest(config: Config) -> str:
    """Return the SHA-256 of the protocol, secrets masked."""
    return hashlib.sha256(config.model_dump_json().encode()).hexdigest()


def iso(time: datetime) -> str:
    """Return a time as ISO 8601, to the second."""
    return time.isoformat(timespec="seconds")


def output_folder(folder: Path) -> Path:
    """Make the folder for a report.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {folder}: {error.strerror}.") from error
    return folder


def point_to(outputs: Path, run_id: str) -> None:
    """Name the latest run in outputs/latest.json (links fail on Windows)."""
    pointer = {"run_id": run_id, "report": f"{run_id}/report.html"}
    write_file(outputs / "latest.json", (json.dumps(pointer) + "\n").encode())


def publish_feed(outputs: Path, run_id: str) -> None:
    """Write the feed of a run as outputs/update.atom, an address that stays."""
    feed = outputs / run_id / "update.atom"
    if feed.exists():
        text = feed.read_text(encoding="utf-8")
        text = text.replace('href="update.html"', f'href="{run_id}/update.html"')
        write_file(outputs / "update.atom", text.encode())


@contextmanager
def logged(review: Review, path: Path, run_id: str) -> Iterator[Review]:
    """The review with all that happens in it written to a log, how it failed too."""
    log = RunLog(path, run_id, review.now)
    try:
        yield replace(review, tell=to_all(log, review.tell))
    except BaseException as error:
        said = {"message": str(error)} if isinstance(error, PipelineError) else {}
        with suppress(OutputError):
            log("failed", level="error", error=type(error).__name__, **said)
        raise
    finally:
        log.close()


def manifest(
    review: Review,
    folder: Path,
    *,
    run_id: str,
    argv: Sequence[str],
    started: datetime,
    search_id: str,
    flow: Flow,
    files: Sequence[Path],
) -> Path:
    """Write manifest.json over all files of the run."""
    models = {
        q.id: {"measure": q.measure, **q.model.model_dump(mode="json")}
        for q in review.config.questions
    }
    return write_manifest(
        folder,
        run_id=run_id,
        started=iso(started),
        ended=iso(review.now()),
        argv=argv,
        environment=read_environment(__version__, Path(__file__).parents[1]),
        config=review.config.model_dump(mode="json"),
        search_ids=[search_id],
        inputs=[p for p in (review.folder / "corpus" / "raw").rglob("*") if p.is_file()],
        outputs=files,
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
