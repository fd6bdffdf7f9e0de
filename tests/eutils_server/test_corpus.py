"""What is served: files, days, made-up records, and what is refused."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, InputError
from pipeline.eutils_server import Server, Synthetic, load, serving
from pipeline.eutils_server.index import Condition, Index

ALL = Condition("1")
Search = Callable[..., dict[str, Any]]


def titles(index: Index, day: int, pmid: int) -> str:
    """The XML of a record on a day, "" where it is not there."""
    return index.xml([pmid], day).get(pmid, b"").decode()


def test_each_day_adds_replaces_and_deletes(index: Index) -> None:
    assert index.days == 3
    assert index.find(ALL, 1) == [107, 106, 105, 104, 103, 102, 101]
    assert index.find(ALL, 2) == [108, 107, 106, 105, 103, 102, 101]
    assert index.find(ALL, 3) == [109, 108, 107, 106, 105, 103, 102, 101]


def test_a_revised_record_has_its_new_text_from_its_day_on(index: Index) -> None:
    assert "No effect was seen." in titles(index, 1, 106)
    assert "A small effect was seen." in titles(index, 2, 106)
    assert titles(index, 2, 104) == ""


def test_the_newest_version_wins_even_over_a_later_copy_of_an_older_one(index: Index) -> None:
    versions = [titles(index, day, 103).split('Version="')[1][0] for day in (1, 2, 3)]
    assert versions == ["1", "2", "2"]


def test_the_day_decides_what_a_search_finds(server: Server, search: Search) -> None:
    retracted = "retracted publication[pt]"
    assert search(retracted)["idlist"] == []
    server.set_day(2)
    assert search(retracted)["idlist"] == ["102"]
    assert search("1:200[uid] AND 2022/02/02[lr]")["idlist"] == ["108", "106", "103", "102"]
    with pytest.raises(ConfigError, match=r"Invalid day 4; the corpus has days 1 to 3\."):
        server.set_day(4)


def test_days_may_come_one_by_one_or_by_a_list(days: Path, tmp_path: Path, index: Index) -> None:
    parts = [days / f"day{n}" for n in (1, 2, 3)]
    for number, part in enumerate(parts, start=1):
        (file,) = part.iterdir()
        with gzip.open(tmp_path / f"{number}.xml.gz", "wb") as packed:
            packed.write(file.read_bytes())
    names = [[f"{n}.xml.gz"] for n in (1, 2, 3)]
    (tmp_path / "days.json").write_text(json.dumps({"days": names}))
    for same in (load(parts[0], parts[1:]), load(tmp_path)):
        assert [same.find(ALL, day) for day in (1, 2, 3)] == [
            index.find(ALL, day) for day in (1, 2, 3)
        ]
        same.close()


def test_files_of_a_folder_make_one_day(days: Path, tmp_path: Path) -> None:
    shutil.copy(days / "day1" / "articles.xml", tmp_path / "a.xml")
    shutil.copy(days / "day2" / "update.xml", tmp_path / "b.xml")
    index = load(tmp_path)
    assert (index.days, index.find(ALL, 1)) == (1, [108, 107, 106, 105, 103, 102, 101])
    index.close()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no file that ends in .xml or .xml.gz"),
        ({"a.xml": "<PubmedArticleSet/>"}, "holds no PubMed record"),
        ({"a.xml": "<PubmedArticleSet>"}, "cannot be read as PubMed XML"),
        ({"a.xml.gz": "no gzip"}, "cannot be read as PubMed XML"),
        ({"a.xml": "<x><PubmedArticle/></x>"}, "a record without a PMID"),
        ({"days.json": "[]"}, 'must hold {"days"'),
        ({"day2/a.xml": "<x/>"}, "must run from 1 on"),
    ],
)
def test_a_corpus_that_cannot_be_served_is_refused(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as raised:
        load(tmp_path)
    assert message in str(raised.value)


def test_a_corpus_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "none")


def test_an_entity_in_a_corpus_opens_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("open sesame")
    (tmp_path / "a.xml").write_text(
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]><x><PubmedArticle><MedlineCitation>'
        "<PMID>1</PMID><Article><ArticleTitle>T &e;</ArticleTitle></Article></MedlineCitation>"
        "</PubmedArticle></x>"
    )
    index = load(tmp_path)
    assert b"sesame" not in index.xml([1], 1)[1]
    index.close()


@pytest.mark.parametrize("spread", ["even", "dense", "clustered"])
def test_made_up_records_are_as_many_as_asked_for_and_the_same_each_time(spread: Any) -> None:
    corpus = Synthetic(3_000, spread, seed=3)
    pmids = corpus.pmids()
    assert pmids == sorted(set(pmids)) == Synthetic(3_000, spread, seed=3).pmids()
    assert (len(pmids), pmids[0] > 0, pmids[-1] <= corpus.top) == (3_000, True, True)
    index = load(corpus)
    assert index.find(ALL, 1) == pmids[::-1]
    index.close()


def test_clustered_pmids_lie_in_bunches_and_even_ones_do_not() -> None:
    def next_door(pmids: list[int]) -> int:
        return sum(b - a <= 2 for a, b in pairwise(pmids))

    assert next_door(Synthetic(5_000, "even").pmids()) == 0
    assert next_door(Synthetic(5_000, "clustered").pmids()) > 4_000


def test_dates_of_made_up_records_rise_with_the_pmid() -> None:
    with serving(Synthetic(1_000, "dense"), rate_limit=False) as server:
        early = server.index.find(Condition("crdt < 20000101"), 1)
    assert list(range(len(early), 0, -1)) == early
    # Ten of thirty-six years.
    assert 250 < len(early) < 300


@pytest.mark.parametrize("n", [0, 30_000_000])
def test_made_up_records_need_room_for_their_pmids(n: int) -> None:
    with pytest.raises(InputError, match=f"Invalid n {n}"):
        Synthetic(n)
