"""The documents name what there is: keys, fields, rules, measures, sources, commands, codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pipeline import errors
from pipeline.cli import COMMANDS, TRAINED
from pipeline.cli.living import CHANGED
from pipeline.config import Config
from pipeline.effects.convert import RECOVERIES
from pipeline.effects.formulas import FORMULAS
from pipeline.extract import COMPONENTS
from pipeline.extract.extensions import EXTENSIONS
from pipeline.extract.reader import Reader
from pipeline.fetch import SOURCES
from pipeline.fetch.files import read_records
from pipeline.pool import ESTIMATORS
from pipeline.schema import DESIGNS, DIRECTIONS, OUTCOME_TYPES, Arm, Dose, Outcome, Study
from pipeline.schema.codec import study_record
from pipeline.screen import screen

REPO = Path(__file__).parents[1]


def words(name: str) -> set[str]:
    """What stands in backticks in a document, without brackets and parts of a path."""
    text = (REPO / name).read_text(encoding="utf-8")
    quoted = re.findall(r"`([^`\n]+)`", text)
    return {w for q in quoted for w in (q, *re.split(r"[.\[\]]+", q)) if w}


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a part of the protocol and of the parts below it."""
    for name, field in model.model_fields.items():
        yield name
        for part in parts(field.annotation):
            yield from keys(part)


def parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """The parts of the protocol inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from parts(inner)


@pytest.fixture(scope="module")
def records(config: Config) -> list[dict[str, Any]]:
    """What `evipool extract` writes of the shipped corpus."""
    reader = Reader(config.eligibility, config.outcomes)
    found, _ = read_records(REPO / "corpus" / "demo" / "evipool-demo.xml")
    studies = [(record, reader.read(record)) for record in found]
    return [study_record(s, screen(r, s, config.eligibility), r.text) for r, s in studies]


def rules(value: Any) -> Iterator[str]:
    """Every `derived` in a record."""
    if isinstance(value, dict):
        if isinstance(value.get("derived"), str):
            yield value["derived"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from rules(item)


def test_protocol_md_names_every_key() -> None:
    assert set(keys(Config)) <= words("docs/protocol.md")


def test_protocol_md_names_every_estimator_test_and_recovery() -> None:
    assert {*ESTIMATORS, *RECOVERIES, *SOURCES, "knha", "adhoc", "t", "z"} <= words(
        "docs/protocol.md"
    )


def test_record_md_names_every_field(records: list[dict[str, Any]]) -> None:
    named = words("docs/record.md")
    for cls in (Arm, Dose, Outcome):
        assert {f.name for f in fields(cls)} <= named
    assert set(records[0]) <= named
    assert {*DESIGNS, *OUTCOME_TYPES, *DIRECTIONS} <= named


def test_record_md_names_every_rule_and_problem_of_the_shipped_corpus(
    records: list[dict[str, Any]],
) -> None:
    named = words("docs/record.md")
    found = {rule for record in records for rule in rules(record)}
    assert found
    assert found <= named
    assert {p["code"] for record in records for p in record["problems"]} <= named


def test_a_record_of_the_document_is_a_record(records: list[dict[str, Any]]) -> None:
    """The rule that it states for quotes holds for the shipped corpus."""
    for record in records:
        for quote in quotes(record):
            assert record["text"][quote["start"] : quote["end"]] == quote["text"]
    assert json.loads(json.dumps(records[0])) == records[0]


def quotes(value: Any) -> Iterator[dict[str, Any]]:
    """Every quote in a record."""
    if isinstance(value, dict):
        if value.keys() == {"start", "end", "text"}:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from quotes(item)


def rows(heading: str) -> set[str]:
    """The first cells of the README's table that begins with this cell."""
    text = (REPO / "README.md").read_text(encoding="utf-8")
    table = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `?([^`|]+?)`? \|", table, re.MULTILINE)) - {"---"}


def test_the_readme_lists_every_command_measure_and_source() -> None:
    trained = (f"train {name}" for name in TRAINED)
    commands = {f"evipool {name}" for name in (*COMMANDS, "config show", *trained)}
    assert rows("command") == commands
    assert rows("code") == set(FORMULAS)
    assert rows("`source:`") == set(SOURCES)


def test_the_readme_lists_every_exit_code() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    codes = {c.exit_code for c in classes if issubclass(c, errors.PipelineError)}
    listed = {int(n) for row in rows("exit code") for n in row.split(", ")}
    assert listed == codes | {0, CHANGED, 130, 143}


def test_every_file_that_a_document_links_to_is_there() -> None:
    documents = sorted(path.name for path in (REPO / "docs").glob("*.md"))
    for name in ("README.md", "CHANGELOG.md", *(f"docs/{d}" for d in documents)):
        path = REPO / name
        links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
        for link in links:
            assert (path.parent / link).exists(), f"{name}: {link}"


def test_extraction_md_names_every_component_what_it_sets_and_every_command() -> None:
    named = words("docs/extraction.md")
    assert set(COMPONENTS) <= named
    assert {f"doc._.{name}" for name in EXTENSIONS} <= named
    text = (REPO / "docs" / "extraction.md").read_text(encoding="utf-8")
    assert all(f"evipool {c}" in text for c in ("evaluate", *(f"train {t}" for t in TRAINED)))
    assert "## Figures" in text
    assert "## Classes of remaining errors" in text


def test_the_first_example_of_extraction_md_prints_what_it_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (REPO / "docs" / "extraction.md").read_text(encoding="utf-8")
    code = text.partition("```python\n")[2].partition("```")[0]
    exec(code, {})  # noqa: S102 - our own document
    assert f"# {capsys.readouterr().out}" in code


def test_the_study_is_documented_whole() -> None:
    """A field that is new in the schema must reach the record or be left out on purpose."""
    left_out = {"pmids", "slab", "year"}
    assert {f.name for f in fields(Study)} - left_out <= words("docs/record.md")
