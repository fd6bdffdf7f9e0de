"""Three studies of the shipped corpus are checked: the next report says so, and of no others."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline import update
from pipeline.config import Config
from pipeline.errors import UnreviewedError
from pipeline.review import Writer, decide, lay, screen_by_hand
from pipeline.review_folder import Review
from pipeline.schema import Record, Study
from pipeline.store import Store
from pipeline.update import RunResult


@dataclass
class Clock:
    """A clock that goes on by a second each time it is read."""

    time: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


WRITER = Writer("Li", "2026-11-23T12:00:00.000000Z", "test")


@pytest.fixture(scope="module")
def first(config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Review, RunResult]:
    """A review after its first run."""
    review = Review(tmp_path_factory.mktemp("review"), config, now=Clock())
    return review, update.run(review, argv=["run"], output=review.folder / "first")


def accept_all(store: Store, record: Record, study: Study) -> None:
    """Accept whatever is suggested of a study."""
    states = lay(study, store.events(record.record_id), text=record.text).waiting
    store.add_decisions(decide(s, "accepted", WRITER, record) for s in states)


@dataclass(frozen=True)
class Checked:
    """The run after three studies were checked, and their ids."""

    before: RunResult
    after: RunResult
    ids: frozenset[str]
    review: Review


@pytest.fixture(scope="module")
def checked(first: tuple[Review, RunResult]) -> Checked:
    """Three pooled studies are checked, then the report is written again."""
    review, before = first
    pooled = [e.record_id for r in before.results if r.pooled for e in r.effects]
    ids = list(dict.fromkeys(pooled))[:3]
    assert len(set(pooled)) > len(ids) == 3
    evidence = before.evidence
    with review.store(alone=False) as store:
        for record, study in zip(evidence.records, evidence.studies, strict=True):
            if record.record_id in ids:
                accept_all(store, record, study)
        assert store.check() == []
    after = update.run(review, argv=["report"], output=review.folder / "after", refetch=False)
    return Checked(before, after, frozenset(ids), review)


def rows(run: RunResult, table: str) -> list[dict[str, str]]:
    """The rows of a table of a report."""
    with (run.folder / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def effects(run: RunResult) -> Iterator[tuple[str, bool]]:
    """Each effect's record with whether it is reviewed."""
    return ((e.record_id, e.reviewed) for r in run.results for e in r.effects)


def test_before_anybody_decided_nothing_is_reviewed(checked: Checked) -> None:
    assert not any(reviewed for _, reviewed in effects(checked.before))
    assert {row["reviewed"] for row in rows(checked.before, "extraction")} == {"no"}


def test_their_effects_are_reviewed_and_the_others_are_not(checked: Checked) -> None:
    found = list(effects(checked.after))
    assert {record_id for record_id, reviewed in found if reviewed} == checked.ids
    assert all(reviewed == (record_id in checked.ids) for record_id, reviewed in found)


def test_the_table_of_values_says_which_were_reviewed(checked: Checked) -> None:
    for row in rows(checked.after, "extraction"):
        assert (row["reviewed"] == "yes") == (row["record_id"] in checked.ids), row


def test_the_page_says_which_studies_were_reviewed(checked: Checked) -> None:
    page = (checked.after.folder / "report.html").read_text(encoding="utf-8")
    n = len(checked.after.evidence.studies)
    assert f"{n - 3} of {n} studies unreviewed (machine-read values)" in page
    for study in checked.after.evidence.studies:
        said = "unreviewed" not in page.partition(f"Values read: {study.slab}")[2][:400]
        assert said == (study.record_id in checked.ids) or study.slab == study.record_id


def test_the_warning_counts_the_studies_that_wait(checked: Checked) -> None:
    for result in checked.after.results:
        k, n = len(result.effects), sum(e.record_id in checked.ids for e in result.effects)
        said = f"{k - n} of {k} studies rest on machine-read, unreviewed values."
        assert (said in result.warnings) == (n < k)


def test_accepting_what_was_read_moves_no_number(checked: Checked) -> None:
    one, two = ([r.pooled for r in run.results] for run in (checked.before, checked.after))
    assert one == two
    assert checked.before.evidence.screenings == checked.after.evidence.screenings


def test_a_pool_is_refused_until_all_its_studies_are_reviewed(checked: Checked) -> None:
    strict = checked.review.config.review.model_copy(update={"require_reviewed": True})
    config = checked.review.config.model_copy(update={"review": strict})
    with pytest.raises(UnreviewedError):
        update.analyse(replace(checked.review, config=config), checked.after.evidence)
    only = [
        s if s.include and s.record_id in checked.ids else replace(s, include=False)
        for s in checked.after.evidence.screenings
    ]
    evidence = replace(checked.after.evidence, screenings=tuple(only))
    assert update.analyse(replace(checked.review, config=config), evidence)


def test_a_persons_word_on_eligibility_outranks_the_rule(config: Config, tmp_path: Path) -> None:
    review = Review(tmp_path, config, now=Clock())
    before = update.run(review, argv=["run"], output=tmp_path / "a")
    included = next(s for s in before.evidence.screenings if s.include)
    excluded = next(s for s in before.evidence.screenings if not s.include)
    by_id = {r.record_id: r for r in before.evidence.records}
    with review.store(alone=False) as store:
        out = screen_by_hand(
            "excluded", WRITER, by_id[included.record_id], code="language", reason="not readable"
        )
        back = screen_by_hand("included", WRITER, by_id[excluded.record_id])
        store.add_decisions([out, back])
    after = update.run(review, argv=["report"], output=tmp_path / "b", refetch=False)
    now_said = {s.record_id: s for s in after.evidence.screenings}
    assert now_said[included.record_id].code == "language"
    assert now_said[excluded.record_id].include
    assert ("language", 1) in after.flow.excluded
    assert after.flow.included == before.flow.included
    page = (tmp_path / "b" / "report.html").read_text(encoding="utf-8")
    assert re.search(r"excluded by Li: not readable \(by rule: primary study", page)
