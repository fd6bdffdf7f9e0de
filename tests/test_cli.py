"""The command line as a user runs it: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from filelock import FileLock

from pipeline import __version__
from pipeline.config import Config
from pipeline.effects.formulas import FORMULAS
from pipeline.effects.measures import MEASURES

REPO = Path(__file__).parents[1]
DEMO = REPO / "corpus" / "demo" / "evipool-demo.xml"
COMMAND = [sys.executable, "-m", "pipeline"]
COMMANDS = [
    *("init", "config", "check", "search", "fetch", "extract"),
    *("run", "pool", "report", "status", "measures", "evaluate", "train"),
]

TITLE = "Immunoglobulin in chronic inflammatory demyelinating polyneuropathy: an invented series"
ABSTRACT = (
    "Ten patients with CIDP received IVIg 0.4 g/kg/day for 5 days. 7 of 10 patients improved."
)
JSON_LINES = json.dumps({"pmid": "90000001", "title": TITLE, "abstract": ABSTRACT}) + "\n"
NBIB = f"""\
PMID- 90000001
TI  - {TITLE}.
AB  - {ABSTRACT}
DP  - 2019 May
LA  - eng

"""
XML = f"""\
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">90000001</PMID><Article>
<ArticleTitle>{TITLE}</ArticleTitle><Abstract><AbstractText>{ABSTRACT}</AbstractText></Abstract>
</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stands on stdout, which must be JSON and nothing else."""
        return json.loads(self.out)


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without Evipool's variables, and with those given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVIPOOL_")}
    return kept | variables


def evipool(folder: Path, *arguments: str | Path, **variables: str) -> Ended:
    """Run a command in a folder, its input and output no terminal."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def sentence(ended: Ended, code: int) -> str:
    """The one sentence on stderr by which a foreseen failure ends with that code."""
    assert ended.code == code, ended
    assert ended.out == ""
    assert re.fullmatch(r"Error: [^\n]+\.\n", ended.err), ended.err
    return ended.err


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, with the bytes of the files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def review(tmp_path: Path) -> Path:
    """A folder that holds the shipped protocol and nothing else."""
    shutil.copy(REPO / "config.yaml", tmp_path / "config.yaml")
    return tmp_path


@pytest.fixture(scope="module")
def after_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A review in which `run` ended, and how; the tests that share it write nothing into it."""
    folder = tmp_path_factory.mktemp("review")
    shutil.copy(REPO / "config.yaml", folder / "config.yaml")
    return folder, evipool(folder, "run")


# Help and version


def test_help_is_the_same_by_both_names_and_lists_every_command(tmp_path: Path) -> None:
    short, long = evipool(tmp_path, "-h"), evipool(tmp_path, "--help")
    assert short == long
    assert (long.code, long.err) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"^ +{command} ", long.out, re.MULTILINE), command
    for code in ("2 usage", "3 network", "4 nothing found", "5 data", "6 unreviewed", "7 another"):
        assert code in " ".join(long.out.split())


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version_is_the_packages(tmp_path: Path, flag: str) -> None:
    assert evipool(tmp_path, flag) == Ended(0, f"evipool {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("config",)])
def test_a_call_without_a_command_prints_help_and_is_a_usage_error(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = evipool(tmp_path, *arguments)
    assert ended == Ended(2, evipool(tmp_path, *arguments, "--help").out, "")


@pytest.mark.parametrize(
    "arguments", [("pol",), ("run", "--sauce", "demo"), ("extract", "--input", "a.xml")]
)
def test_a_wrong_call_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = evipool(tmp_path, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Error: " in ended.err
    assert "Traceback" not in ended.err


# The protocol


def test_init_writes_the_shipped_protocol_and_overwrites_none(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "review"
    begun = evipool(tmp_path, "init", "new/review")
    assert (begun.code, begun.err) == (0, "")
    protocol = folder / "config.yaml"
    assert protocol.read_bytes() == (REPO / "config.yaml").read_bytes()
    assert {p.name for p in folder.iterdir()} == {"config.yaml", "corpus", "outputs"}
    protocol.write_text("title: mine\n")
    assert "config.yaml exists" in sentence(evipool(folder, "init"), 2)
    assert protocol.read_text() == "title: mine\n"


def test_config_show_prints_each_value_with_its_origin_and_no_secret(review: Path) -> None:
    secrets = {
        "EVIPOOL_NCBI__API_KEY": "hush123",
        "EVIPOOL_DATABASE__URL": "postgresql://eva:hush456@db.example.org/evipool",
    }
    ended = evipool(review, "config", "show", EVIPOOL_NCBI__BATCH_SIZE="50", **secrets)
    assert (ended.code, ended.err) == (0, "")
    assert 'source = "demo"  [config.yaml]' in ended.out
    assert "ncbi.batch_size = 50  [environment]" in ended.out
    assert "ncbi.timeout_s = 60.0  [default]" in ended.out
    assert 'database.url = "postgresql://***@db.example.org/evipool"  [environment]' in ended.out
    assert 'ncbi.api_key = "**********"  [environment]' in ended.out
    assert "hush" not in ended.out


def test_config_show_as_json_is_one_object_of_values_and_origins(review: Path) -> None:
    shown = evipool(review, "config", "show", "--json").json
    assert shown["questions[0].measure"] == {"value": "RR", "origin": "config.yaml"}
    assert shown["ncbi.timeout_s"] == {"value": 60.0, "origin": "default"}


def test_a_typo_in_the_protocol_is_one_sentence_with_line_path_and_suggestion(
    review: Path,
) -> None:
    text = (review / "config.yaml").read_text(encoding="utf-8")
    (review / "config.yaml").write_text(text.replace("  min_n: 3", "  min_m: 3"), encoding="utf-8")
    line = text[: text.index("  min_n: 3")].count("\n") + 1
    for command in ("check", "run"):
        said = sentence(evipool(review, command), 2)
        assert f"config.yaml, line {line}: unknown key eligibility.min_m" in said
        assert "did you mean 'min_n'?" in said


def test_check_accepts_the_shipped_protocol_and_writes_nothing(review: Path) -> None:
    before = contents(review)
    ended = evipool(review, "check")
    assert (ended.code, ended.err) == (0, "")
    assert "config.yaml: " in ended.out
    assert contents(review) == before


@pytest.mark.parametrize("command", ["check", "run"])
def test_an_unknown_measure_is_refused_by_name_before_anything_is_fetched(
    review: Path, command: str
) -> None:
    text = (review / "config.yaml").read_text(encoding="utf-8")
    (review / "config.yaml").write_text(text.replace("measure: PLO", "measure: PLOT"))
    said = sentence(evipool(review, command), 2)
    assert "single_arm_responders" in said
    assert "'PLOT'" in said
    assert not (review / "corpus").exists()


def test_a_measure_that_does_not_fit_its_outcome_is_refused_before_anything_is_fetched(
    review: Path,
) -> None:
    text = (review / "config.yaml").read_text(encoding="utf-8")
    (review / "config.yaml").write_text(text.replace("measure: PLO", "measure: MD"))
    for command in ("check", "run"):
        said = sentence(evipool(review, command), 2)
        assert "single_arm_responders: MD needs a continuous outcome" in said
    assert not (review / "corpus").exists()


def test_check_names_a_raw_file_that_was_changed(
    after_run: tuple[Path, Ended], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(after_run[0], folder)
    assert evipool(folder, "check").out.endswith("corpus: ok\n")
    (raw,) = (p for p in (folder / "corpus" / "raw").rglob("*") if p.is_file())
    raw.write_bytes(raw.read_bytes()[:-1])
    ended = evipool(folder, "check")
    assert ended.code == 5
    assert raw.name in ended.err
    assert "Traceback" not in ended.err


def test_measures_lists_every_measure(tmp_path: Path) -> None:
    text, as_json = evipool(tmp_path, "measures"), evipool(tmp_path, "measures", "--json")
    assert [line.split()[0] for line in text.out.splitlines()] == list(FORMULAS)
    assert list(as_json.json) == list(FORMULAS)
    asked = {code for code, row in as_json.json.items() if row["in a protocol from"]}
    assert asked == set(MEASURES)
    assert (text.code, text.err, as_json.code, as_json.err) == (0, "", 0, "")


# A run on the shipped corpus


def test_run_prints_its_counts_a_row_for_each_question_and_where_the_report_is(
    after_run: tuple[Path, Ended], config: Config
) -> None:
    folder, ended = after_run
    assert ended.code == 0
    assert ended.out.startswith("36 records, ")  # corpus/demo/README.md: 36 publications
    for question in config.questions:
        assert re.search(rf"^{question.id} +\d+ ", ended.out, re.MULTILINE)
    report = Path(ended.out.splitlines()[-1].removeprefix("Report: "))
    assert report.parents[1] == (folder / "outputs").resolve()
    assert config.title in report.read_text(encoding="utf-8")
    latest = json.loads((folder / "outputs" / "latest.json").read_text())
    assert (folder / "outputs" / latest["report"]).samefile(report)


def test_without_a_terminal_there_is_no_progress_bar(after_run: tuple[Path, Ended]) -> None:
    assert after_run[1].err == ""


def test_status_says_what_is_stored_and_how_the_run_ended(after_run: tuple[Path, Ended]) -> None:
    folder, _ = after_run
    text, as_json = evipool(folder, "status"), evipool(folder, "status", "--json").json
    (run,) = as_json["runs"]
    assert (as_json["found"], as_json["stored"], as_json["decisions"]) == (36, 36, 0)
    assert run["status"] == "complete"
    assert (folder / "outputs" / run["run_id"]).is_dir()
    assert "36 found, 36 stored" in text.out
    assert f"Run {run['run_id']}: complete" in text.out


def test_pool_prints_the_estimates_of_the_run_without_a_report(
    after_run: tuple[Path, Ended],
) -> None:
    folder, ran = after_run
    before = {path.name for path in (folder / "outputs").iterdir()}
    pooled = evipool(folder, "pool")
    assert (pooled.code, pooled.err) == (0, "")
    assert pooled.out in ran.out
    assert {path.name for path in (folder / "outputs").iterdir()} == before


def test_run_and_pool_as_json_print_one_value_alone_and_agree(review: Path, config: Config) -> None:
    ended = evipool(review, "run", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert [row["question"] for row in ended.json["estimates"]] == [q.id for q in config.questions]
    assert Path(ended.json["report"]).is_file()
    assert ended.json["run_id"] in ended.json["report"]
    assert evipool(review, "pool", "--json").json == ended.json["estimates"]


def test_report_writes_the_same_tables_again_into_a_folder_of_choice(
    after_run: tuple[Path, Ended], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(after_run[0], folder)
    (first,) = (folder / "outputs").glob("*/tables")
    ended = evipool(folder, "report", "--output", tmp_path / "elsewhere")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(f"Report: {tmp_path / 'elsewhere' / 'report.html'}\n")
    assert contents(tmp_path / "elsewhere" / "tables") == contents(first)


def test_a_search_tells_the_hits_and_keeps_nothing(review: Path) -> None:
    before = contents(review)
    text, as_json = evipool(review, "search"), evipool(review, "search", "--json").json
    assert text.out.startswith("demo: 36 records on ")
    assert (as_json["source"], as_json["count"]) == ("demo", 36)
    assert contents(review) == before


@pytest.mark.parametrize("flag", ["--dry-run", "-n"])
def test_a_dry_run_tells_the_plan_and_writes_nothing(review: Path, flag: str) -> None:
    before = contents(review)
    ended = evipool(review, "run", flag)
    assert (ended.code, ended.err) == (0, "")
    assert "Would read 36 records and answer 6 questions." in ended.out
    assert "Nothing was written." in ended.out
    assert contents(review) == before


def test_a_dry_run_as_json_holds_the_plan(review: Path) -> None:
    said = evipool(review, "run", "-n", "--json").json
    assert said["count"] == 36
    assert said["plan"][0].startswith("Would read 36 records")


def test_a_fetch_keeps_every_record_once(review: Path) -> None:
    first, again = evipool(review, "fetch", "--json"), evipool(review, "fetch")
    assert first.json["count"] == first.json["stored"] == 36
    assert first.json["problems"] == []
    assert again.out == f"demo: 36 found, 36 stored ({first.json['search_id']}).\n"
    assert len([p for p in (review / "corpus" / "raw").rglob("*") if p.is_file()]) == 1


def test_a_run_on_a_file_reads_that_file(review: Path) -> None:
    (review / "mine.nbib").write_text(NBIB, encoding="utf-8")
    ended = evipool(review, "run", "--file", "mine.nbib")
    assert (ended.code, ended.err) == (0, "mine.nbib: nbib, 1 record\n")
    assert ended.out.startswith("1 records, ")
    assert evipool(review, "run", "--file", "mine.nbib", "--quiet").err == ""


TWO = ("--file", "mine.nbib", "--file", "mine.jsonl")


@pytest.fixture
def two_files(review: Path) -> Path:
    """One paper in two files, and in the second one that may be it."""
    (review / "mine.nbib").write_text(NBIB, encoding="utf-8")
    alike = json.dumps({"record_id": "mine-1", "title": TITLE, "abstract": "", "year": 2019})
    (review / "mine.jsonl").write_text(JSON_LINES + alike + "\noops\n", encoding="utf-8")
    return review


def test_a_fetch_of_files_says_what_was_read_and_what_is_there_twice(two_files: Path) -> None:
    ended = evipool(two_files, "fetch", *TWO)
    assert ended.code == 0
    assert ended.out.startswith("files: 3 found, 1 duplicate, 2 stored (")
    report, problems = ended.err.splitlines()[:3], ended.err.splitlines()[3:]
    assert report == [
        "mine.nbib: nbib, 1 record",
        "mine.jsonl: JSON Lines, 2 records; 1 duplicate_candidate, 1 duplicate_record, "
        "1 unread_line",
        "Duplicates: 1 of 3 records left out (1 by PMID); 1 pair for a person to judge, both read.",
    ]
    assert [p.partition(":")[0] for p in problems] == [
        *("unread_line", "duplicate_record", "duplicate_candidate")
    ]


def test_a_fetch_of_files_as_json_holds_the_same(two_files: Path) -> None:
    said = evipool(two_files, "fetch", *TWO, "--json").json
    assert (said["count"], said["duplicates"], said["stored"]) == (3, 1, 2)
    assert [f["file"] for f in said["import"]["files"]] == ["mine.nbib", "mine.jsonl"]
    assert said["import"]["duplicates"] == {"records": 3, "removed": {"PMID": 1}, "candidates": 1}
    assert len(said["problems"]) == 3
    run = evipool(two_files, "run", *TWO, "--json").json
    assert run["import"] == said["import"]
    assert run["search"]["duplicates"] == 1


def test_status_counts_what_is_there_twice(two_files: Path) -> None:
    evipool(two_files, "fetch", *TWO)
    assert "3 found, 1 duplicate, 2 stored." in evipool(two_files, "status").out


# Extraction of a file


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", JSON_LINES), ("a.xml", XML), ("a.nbib", NBIB)]
)
def test_extract_reads_a_file_of_each_kind_without_a_protocol_at_hand(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    ended = evipool(tmp_path, "extract", "--input", name, "--output", "out.jsonl")
    assert ended == Ended(0, "", f"1 records read from {name} into out.jsonl.\n")
    assert {p.name for p in tmp_path.iterdir()} == {name, "out.jsonl"}
    (line,) = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert (record["record_id"], record["pmid"]) == ("pmid90000001", "90000001")
    assert record["text"].endswith(ABSTRACT)
    amount = record["doses"][0]["amount"]
    assert amount["value"] == 0.4
    quote = amount["quote"]
    assert record["text"][quote["start"] : quote["end"]] == quote["text"] == "0.4"


def test_extract_writes_one_line_for_each_record_of_the_shipped_corpus(tmp_path: Path) -> None:
    ended = evipool(tmp_path, "extract", "-i", DEMO, "-o", "out.jsonl", "--quiet")
    assert ended == Ended(0, "", "")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    pmids = re.findall(r'<PMID Version="1">(\d+)</PMID>', DEMO.read_text(encoding="utf-8"))
    assert [json.loads(line)["pmid"] for line in lines] == list(dict.fromkeys(pmids))


def test_a_line_that_cannot_be_read_is_told_and_the_others_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(JSON_LINES + "{half\n", encoding="utf-8")
    ended = evipool(tmp_path, "extract", "-i", "a.jsonl", "-o", "out.jsonl")
    assert (ended.code, ended.out) == (5, "")
    assert "a.jsonl, line 2" in ended.err
    assert "Traceback" not in ended.err
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 1


# Readings against gold records

GOLD = {
    "record_id": "pmid90000001",
    "title": TITLE,
    "abstract": ABSTRACT,
    "design": "case_series",
    "n_total": 10,
    "doses": [{"amount": 400, "unit": "mg/kg", "per": "day", "duration_days": 4}],
    "outcomes": [{"measure": "responder", "type": "count", "events": 7, "n": 10}],
}


def test_evaluate_reads_the_golds_own_texts_and_judges_each_field(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text(json.dumps(GOLD) + "\n", encoding="utf-8")
    ended = evipool(tmp_path, "evaluate", "gold.jsonl", "--json", "--errors", "9")
    assert (ended.code, ended.err) == (0, "")
    rows = {row["name"]: row for row in ended.json["rows"]}
    assert rows["n_total"]["right"] == rows["doses"]["right"] == rows["outcomes"]["right"] == 1
    assert rows["doses.duration_days"]["f1"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    days = next(m for m in ended.json["misses"] if m["field"] == "doses.duration_days")
    assert (days["kind"], days["gold"], days["predicted"]) == ("misread", 4, 5)
    assert days["sentence"] == ABSTRACT.partition(" 7 of")[0]


def test_evaluate_compares_two_files_with_or_without_a_table_of_misses(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text(json.dumps(GOLD) + "\n", encoding="utf-8")
    evipool(tmp_path, "extract", "-i", "gold.jsonl", "-o", "read.jsonl")
    table = evipool(tmp_path, "evaluate", "gold.jsonl", "read.jsonl")
    assert (table.code, table.err) == (0, "")
    assert re.search(r"^n_total +1 +1 +1 +1 +1.000 \[1.000, 1.000\]", table.out, re.MULTILINE)
    assert "Efron and Tibshirani 1993" in table.out
    assert table.out == evipool(tmp_path, "evaluate", "gold.jsonl").out
    told = evipool(tmp_path, "evaluate", "gold.jsonl", "read.jsonl", "--errors", "99").out
    assert told.startswith(table.out)
    assert "doses.duration_days: misread; gold 4, read 5\n    Ten patients" in told


@pytest.mark.parametrize(("by", "name"), [("design", "case_series"), ("record", "pmid90000001")])
def test_evaluate_sums_by_design_or_record(tmp_path: Path, by: str, name: str) -> None:
    (tmp_path / "gold.jsonl").write_text(json.dumps(GOLD) + "\n", encoding="utf-8")
    (row,) = evipool(tmp_path, "evaluate", "gold.jsonl", "--by", by, "--json").json["rows"]
    assert (row["name"], row["records"]) == (name, 1)
    assert (row["f1"]["low"] is None) == (by == "record")


def test_the_texts_stand_beside_the_gold_or_are_named(tmp_path: Path) -> None:
    bare = {k: v for k, v in GOLD.items() if k != "abstract"}
    (tmp_path / "gold.jsonl").write_text(json.dumps(bare) + "\n", encoding="utf-8")
    assert "--input" in sentence(evipool(tmp_path, "evaluate", "gold.jsonl"), 5)
    (tmp_path / "texts.jsonl").write_text(JSON_LINES, encoding="utf-8")
    named = evipool(tmp_path, "evaluate", "gold.jsonl", "--input", "texts.jsonl")
    (tmp_path / "texts.jsonl").rename(tmp_path / "gold_input.jsonl")
    assert named.code == 0
    assert named.out == evipool(tmp_path, "evaluate", "gold.jsonl").out


def test_a_gold_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "none.jsonl" in sentence(evipool(tmp_path, "evaluate", "none.jsonl"), 5)
    (tmp_path / "bad.jsonl").write_bytes(b"\xff\xfe")
    assert "UTF-8" in sentence(evipool(tmp_path, "evaluate", "bad.jsonl"), 5)


# What the reader learns


def labelled_lines() -> str:
    """Abstracts of two sentences a part, enough to hold some back."""
    said = "METHODS: We gave {0}. We measured pain.\nRESULTS: Pain fell with {0}. It helped."
    texts = [said.format(f"drug{i}") for i in range(30)]
    return "".join(
        json.dumps({"record_id": f"r{i}", "text": t}) + "\n" for i, t in enumerate(texts)
    )


def test_train_sections_scores_and_writes_the_same_weights_again(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(labelled_lines(), encoding="utf-8")
    for name in ("one.npy", "two.npy"):
        ended = evipool(tmp_path, "train", "sections", "a.jsonl", "--output", name)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.endswith("30 records, 30 labelled; one in five held back.\n")
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()
    found = evipool(tmp_path, "train", "sections", "a.jsonl", "--json").json
    assert found["abstracts"] == 30
    assert found["held_out"]["words and order"]["accuracy"] == 1


def test_train_sections_needs_labels(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(JSON_LINES, encoding="utf-8")
    assert "too few" in sentence(evipool(tmp_path, "train", "sections", "a.jsonl"), 5)


def test_train_confidence_writes_a_table_and_a_plot(tmp_path: Path) -> None:
    gold = "".join(
        json.dumps({**GOLD, "record_id": f"r{i}", "n_total": 10 + i % 2}) + "\n" for i in range(10)
    )
    (tmp_path / "gold.jsonl").write_text(gold, encoding="utf-8")
    given = ("gold.jsonl", "gold.jsonl", "--output", "table.jsonl", "--plot", "plot.png")
    ended = evipool(tmp_path, "train", "confidence", *given)
    assert (ended.code, ended.err) == (0, "")
    assert "by field and signs of doubt" in ended.out
    rows = [json.loads(line) for line in (tmp_path / "table.jsonl").read_text().splitlines()]
    n_total = next(r for r in rows if r["field"] == "n_total" and r["n"])
    assert (n_total["n"], n_total["right"]) == (10, 5)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    found = evipool(tmp_path, "train", "confidence", "gold.jsonl", "gold.jsonl", "--json").json
    assert found["held_out"]["by field"]["ece"] >= 0


def test_train_confidence_needs_records_that_gold_judges(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text('{"record_id": "other"}\n', encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(JSON_LINES, encoding="utf-8")
    assert "judged" in sentence(
        evipool(tmp_path, "train", "confidence", "gold.jsonl", "a.jsonl"), 5
    )


# How failures end


def test_pubmed_wants_a_query_and_an_email(review: Path) -> None:
    empty = evipool(review, "run", "--source", "pubmed", "--query", " ", "--email", "a@b.org")
    assert "query" in sentence(empty, 2)
    assert "ncbi.email" in sentence(evipool(review, "run", "--source", "pubmed"), 2)


def test_a_query_is_put_to_pubmed_where_no_other_source_is_named(review: Path) -> None:
    assert "ncbi.email" in sentence(evipool(review, "run", "--query", "ivig[tiab]"), 2)


def test_an_output_that_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(JSON_LINES, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    ended = evipool(tmp_path, "extract", "-i", "a.jsonl", "-o", "pipe")
    assert "no regular file" in sentence(ended, 2)
    assert (tmp_path / "pipe").is_fifo()


def test_an_unknown_source_is_refused_with_the_known_ones(review: Path) -> None:
    said = sentence(evipool(review, "search", "--source", "medline"), 2)
    assert "'medline'" in said
    assert "pubmed, files, demo" in said


@pytest.mark.parametrize("command", ["run", "pool", "status", "config show"])
def test_without_a_protocol_a_command_says_how_to_get_one(tmp_path: Path, command: str) -> None:
    assert "`evipool init`" in sentence(evipool(tmp_path, *command.split()), 2)
    assert not list(tmp_path.iterdir())


def test_malformed_xml_is_refused_with_file_and_line(review: Path) -> None:
    (review / "half.xml").write_text(XML.replace("</PubmedArticleSet>", ""), encoding="utf-8")
    read = evipool(review, "extract", "-i", "half.xml", "-o", "out.jsonl")
    ran = evipool(review, "run", "--file", "half.xml")
    for ended in (read, ran):
        assert re.search(r"half\.xml, line \d+: ", sentence(ended, 5))
    assert not (review / "out.jsonl").exists()


def test_a_file_that_is_not_there_is_refused_by_name(review: Path) -> None:
    assert "absent.xml" in sentence(evipool(review, "run", "--file", "absent.xml"), 5)


def test_where_nothing_can_be_written_the_place_and_the_reason_are_named(review: Path) -> None:
    (review / "file").write_text("")  # nothing can lie below a file, not even for root
    (review / "a.jsonl").write_text(JSON_LINES, encoding="utf-8")
    calls = [
        ("run", "--output", "file/out"),
        ("extract", "-i", "a.jsonl", "-o", "file/out.jsonl"),
        ("init", "file/new"),
    ]
    for call in calls:
        assert re.search("Cannot write .*file.*: .", sentence(evipool(review, *call), 2))


def test_a_file_without_a_record_is_nothing_found(review: Path) -> None:
    (review / "none.xml").write_text("<PubmedArticleSet></PubmedArticleSet>")
    ended = evipool(review, "run", "--file", "none.xml", "--quiet")
    assert "none.xml" in sentence(ended, 4)


@pytest.mark.parametrize("command", ["pool", "report"])
def test_before_anything_was_fetched_there_is_nothing_to_pool(review: Path, command: str) -> None:
    assert "`evipool run`" in sentence(evipool(review, command), 4)


def test_unreviewed_values_are_refused_where_reviewed_ones_are_wanted(review: Path) -> None:
    said = sentence(evipool(review, "run", "--require-reviewed"), 6)
    assert "unreviewed" in said


def test_a_review_at_work_is_locked(review: Path) -> None:
    (review / "corpus").mkdir()
    with FileLock(review / "corpus" / ".lock"):
        assert "Another run works on" in sentence(evipool(review, "run"), 7)
        assert evipool(review, "status").code == 0  # reading waits for nobody


def stopped(folder: Path, how: signal.Signals, *arguments: str) -> Ended:
    """Send a signal to a command that waits for its input, the named pipe `pipe`."""
    os.mkfifo(folder / "pipe")
    running = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a gate started in the background hands down a SIGINT that is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    writer = os.open(folder / "pipe", os.O_WRONLY)  # returns when the command has opened the pipe
    try:
        running.send_signal(how)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
        os.close(writer)
        (folder / "pipe").unlink()
    return Ended(running.returncode, out, err)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_says_so_and_the_next_one_completes(
    review: Path, how: signal.Signals, code: int
) -> None:
    ended = stopped(review, how, "run", "--file", "pipe")
    assert ended == Ended(code, "", "Stopped; run again to go on.\n")
    assert evipool(review, "run").code == 0


def test_an_extraction_that_is_stopped_leaves_the_output_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("kept\n")
    ended = stopped(tmp_path, signal.SIGTERM, "extract", "-i", "pipe", "-o", "out.jsonl")
    assert ended.code == 143
    assert contents(tmp_path) == {"out.jsonl": b"kept\n"}


# PubMed, played by a server on this machine


class Eutils(BaseHTTPRequestHandler):
    """Answers ESearch with the server's hits and EFetch with `XML`."""

    def do_POST(self) -> None:
        server: Any = self.server
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        server.asked.append({"path": self.path, **parse_qs(form)})
        if server.status != 200:
            body = b'{"error": "refused"}'
        elif self.path.endswith("esearch.fcgi"):
            found = {"count": str(len(server.hits)), "idlist": server.hits}
            found |= {"querytranslation": "as read", "warninglist": server.warnings}
            body = json.dumps({"esearchresult": found}).encode()
        else:
            body = XML.encode()
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def pubmed() -> Iterator[Any]:
    """The server; a test sets its hits, and may have it refuse."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Eutils)
    server.hits, server.status, server.asked = ["90000001"], 200, []
    server.warnings = {}
    server.variables = {"EVIPOOL_NCBI__BASE_URL": f"http://127.0.0.1:{server.server_port}/"}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


ASK = ("--source", "pubmed", "--query", "ivig[tiab]", "--email", "eva@example.org")


def test_a_query_to_pubmed_becomes_a_report_and_the_email_stays_out_of_it(
    review: Path, pubmed: Any
) -> None:
    ended = evipool(review, "run", *ASK, **pubmed.variables)
    assert (ended.code, ended.err) == (0, "PubMed searched: as read\n")
    assert ended.out.startswith("1 records, ")
    assert [asked["term"] for asked in pubmed.asked if "term" in asked] == [["ivig[tiab]"]]
    assert pubmed.asked[0]["email"] == ["eva@example.org"]
    report = Path(ended.out.splitlines()[-1].removeprefix("Report: "))
    assert "ivig[tiab]" in report.read_text(encoding="utf-8")
    for name, content in contents(review).items():
        assert b"eva@example.org" not in (content or b""), name


def test_a_search_of_pubmed_shows_how_it_read_the_query(review: Path, pubmed: Any) -> None:
    ended = evipool(review, "search", *ASK, **pubmed.variables)
    assert "pubmed: 1 records on " in ended.out
    assert "PubMed searched: as read" in ended.out


@pytest.mark.parametrize("command", ["fetch", "run"])
def test_a_query_that_pubmed_changed_is_shown_in_every_way(
    review: Path, pubmed: Any, command: str
) -> None:
    pubmed.warnings = {"quotedphrasesnotfound": ['"ivigg"']}
    ended = evipool(review, command, *ASK, "--json", **pubmed.variables)
    warning = 'quotedphrasesnotfound: "ivigg"'
    assert ended.err == f"PubMed searched: as read\nWarning: {warning}\n"
    facts = ended.json["search"] if command == "run" else ended.json
    assert (facts["translation"], facts["warnings"]) == ("as read", [warning])
    (log,) = review.rglob("log.jsonl")
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    (searched,) = (e for e in events if e["event"] == "searched")
    assert (searched["level"], searched["warnings"]) == ("warning", [warning])


def test_a_fetch_writes_a_log_of_what_was_asked_and_came(review: Path, pubmed: Any) -> None:
    evipool(review, "fetch", *ASK, EVIPOOL_NCBI__API_KEY="hush123", **pubmed.variables)
    text = (review / "corpus" / "log.jsonl").read_text(encoding="utf-8")
    searched, batch, fetched = map(json.loads, text.splitlines())
    assert (searched["event"], searched["query"], searched["count"]) == (
        *("searched", "ivig[tiab]", 1),
    )
    counts = {"asked": 1, "returned": 1, "missing": 0, "to_retry": 0}
    assert counts.items() <= batch.items()
    assert (fetched["event"], fetched["stored"]) == ("fetched", 1)
    assert len({e["run_id"] for e in (searched, batch, fetched)}) == 1
    assert "eva@example.org" not in text
    assert "hush123" not in text
    assert TITLE not in text


def test_a_run_that_failed_is_shown_with_its_log(review: Path, pubmed: Any) -> None:
    pubmed.hits = []
    evipool(review, "run", *ASK, **pubmed.variables)
    (log,) = (review / "outputs").glob("*/log.jsonl")
    said = f"Run {log.parent.name}: failed; see outputs/{log.parent.name}/log.jsonl"
    assert said in evipool(review, "status").out.splitlines()
    assert evipool(review, "status", "--json").json["runs"][0]["log"]


def test_a_query_without_a_hit_is_nothing_found(review: Path, pubmed: Any) -> None:
    pubmed.hits = []
    assert "'ivig[tiab]'" in sentence(evipool(review, "run", *ASK, **pubmed.variables), 4)


def test_a_request_that_pubmed_refuses_is_a_fault_of_the_network(review: Path, pubmed: Any) -> None:
    pubmed.status = 403
    assert "HTTP 403" in sentence(evipool(review, "run", *ASK, **pubmed.variables), 3)


def test_a_record_that_does_not_come_makes_the_run_incomplete(review: Path, pubmed: Any) -> None:
    pubmed.hits = ["90000001", "90000002"]
    ended = evipool(review, "run", *ASK, **pubmed.variables)
    assert ended.code == 3
    assert ended.out.startswith("1 records, ")
    assert evipool(review, "status", "--json").json["runs"][0]["status"] == "incomplete"
