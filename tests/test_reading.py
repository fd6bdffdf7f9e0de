"""Records read in several processes: the same lines in the same order, and a clean end."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from pipeline import update
from pipeline.config import Config, load
from pipeline.errors import PipelineError
from pipeline.fetch.files import read_records
from pipeline.reading import published
from pipeline.schema import Record


@pytest.fixture(scope="module")
def config(repo: Path) -> Config:
    return load(repo / "config.yaml").config


@pytest.fixture(scope="module")
def records(repo: Path) -> list[Record]:
    """Ten records of the shipped corpus."""
    return read_records(repo / "corpus" / "demo" / "evipool-demo.xml")[0][:10]


def read(records: list[Record], config: Config, *, jobs: int, part: int) -> list[str]:
    """The lines, as a file holds them."""
    lines = published(records, config, lambda *_: None, jobs=jobs, part=part)
    return [json.dumps(line, ensure_ascii=False) for line in lines]


@pytest.mark.parametrize(("jobs", "part"), [(2, 1), (2, 3), (3, 4), (2, 50), (1, 3)])
def test_lines_and_their_order_are_the_same_for_any_number_of_processes_and_any_part(
    records: list[Record], config: Config, jobs: int, part: int
) -> None:
    alone = read(records, config, jobs=1, part=50)
    assert read(records, config, jobs=jobs, part=part) == alone
    assert len(alone) == len(records)


def test_no_record_needs_no_process(config: Config) -> None:
    assert read([], config, jobs=4, part=1) == []


def test_each_record_is_told_once_it_is_read(records: list[Record], config: Config) -> None:
    told: list[tuple[str, int, int]] = []
    lines = published(records, config, lambda *said: told.append(said), jobs=2, part=3)
    assert len(list(lines)) == len(records)
    assert told == [("extract", n, len(records)) for n in range(1, len(records) + 1)]


def test_an_interrupted_reading_ends_its_processes_and_leaves_the_output(
    repo: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.reading.published.__kwdefaults__", {"jobs": 1, "part": 5})
    target = tmp_path / "out.jsonl"
    target.write_text("kept\n")

    def stop(step: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    source = repo / "corpus" / "demo" / "evipool-demo.xml"
    with pytest.raises(KeyboardInterrupt):
        update.extract_file(source, target, config, stop, jobs=2)
    assert target.read_text() == "kept\n"
    assert not multiprocessing.active_children()


def test_a_process_that_is_killed_is_an_error(records: list[Record], config: Config) -> None:
    """As the system kills one where memory runs out: nothing is left out in silence."""

    def kill(step: str, done: int, total: int) -> None:
        for process in multiprocessing.active_children():
            process.kill()
            process.join()

    lines = published(records * 20, config, kill, jobs=2, part=1)
    with pytest.raises(PipelineError, match="ended before its work"):
        list(lines)
