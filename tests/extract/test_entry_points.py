"""The components serve any spaCy pipeline: found by name, declared whole, plain when they lack."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from pipeline.errors import PipelineError
from pipeline.extract import COMPONENTS
from pipeline.extract.extensions import EXTENSIONS, record_of
from pipeline.extract.reader import Reader

TEXT = "IVIg in CIDP\nWe gave IVIg 0.4 g/kg/day for 5 days to 12 patients. Nine of 12 improved."
#: What each component requires, directly and through what that requires.
NEEDS: dict[str, tuple[str, ...]] = {
    "evipool_sentences": (),
    "evipool_interventions": ("evipool_sentences",),
    "evipool_doses": ("evipool_sentences", "evipool_interventions"),
    "evipool_quantities": ("evipool_sentences", "evipool_interventions", "evipool_doses"),
    "evipool_population": ("evipool_sentences",),
    "evipool_design": ("evipool_sentences", "evipool_population"),
    "evipool_condition": ("evipool_sentences",),
    "evipool_arms": COMPONENTS[:6],
    "evipool_comparison": (*COMPONENTS[:6], "evipool_arms"),
    "evipool_outcomes": (*COMPONENTS[:6], "evipool_arms"),
}


def test_the_installed_distribution_names_every_component() -> None:
    """`make test` installs it anew when pyproject.toml has changed."""
    found = {e.name: e for e in entry_points(group="spacy_factories") if "evipool" in e.name}
    assert set(found) == set(COMPONENTS)
    for name, entry in found.items():
        assert entry.load() is not None
        assert Language.has_factory(name)


def test_a_foreign_pipeline_adds_a_component_by_name_without_an_import(tmp_path: Path) -> None:
    code = (
        "import spacy, sys; nlp = spacy.blank('en')\n"
        "nlp.add_pipe('evipool_sentences')\n"
        "nlp.add_pipe('evipool_interventions', "
        "config={'intervention': {'name': 'IVIg', 'terms': ['IVIg']}})\n"
        "nlp.add_pipe('evipool_doses')\n"
        f"doc = nlp({TEXT!r})\n"
        "print([(d.drug, d.amount, d.unit, d.days) for d in doc._.doses])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "[('IVIg', 0.4, 'g/kg', 5.0)]\n"


def foreign(names: tuple[str, ...]) -> Language:
    """Another user's pipeline: a blank one with a component of its own and some of ours."""
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    for name in names:
        own = {"intervention": {"name": "IVIg", "terms": ["IVIg"]}}
        nlp.add_pipe(name, config=own if name == "evipool_interventions" else {})
    return nlp


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_works_given_only_what_it_requires(name: str) -> None:
    nlp = foreign((*NEEDS[name], name))
    problems = nlp.analyze_pipes()["problems"]
    assert not any(problems.values()), problems
    doc = nlp(TEXT)
    assert isinstance(doc, Doc)
    for attribute in Language.get_factory_meta(name).assigns:
        if attribute.startswith("doc._.") and name not in ("evipool_condition",):
            assert getattr(doc._, attribute.removeprefix("doc._.")) is not None, attribute


@pytest.mark.parametrize("name", [n for n in COMPONENTS if NEEDS[n]])
def test_a_component_says_what_it_lacks_and_who_gives_it(name: str) -> None:
    nlp = foreign((name,))
    assert nlp.analyze_pipes()["problems"][name]
    with pytest.raises(PipelineError, match=rf"{name} needs doc\._\.\w+.*add evipool_\w+ to"):
        nlp(TEXT)


def test_the_whole_pipeline_has_no_problem(reader: Reader) -> None:
    analysis = reader.nlp.analyze_pipes()
    assert set(analysis["problems"]) == set(COMPONENTS)
    assert not any(analysis["problems"].values()), analysis["problems"]


def test_what_is_handed_on_is_registered_when_a_component_is_made() -> None:
    spacy.blank("en").add_pipe("evipool_sentences")
    assert all(Doc.has_extension(name) for name in EXTENSIONS)


@pytest.mark.parametrize("text", [TEXT, "No line break", "", "\nNo title", "Title\n", "a\n\nb"])
def test_a_text_without_a_record_gets_one_that_has_the_same_text(text: str) -> None:
    assert record_of(text).text == text


def test_the_reader_is_not_changed_by_other_pipelines_docs(reader: Reader) -> None:
    doc = foreign(("evipool_sentences",))(TEXT)
    assert doc._.record.title == "IVIg in CIDP"
    assert [s.part for s in doc._.sentences] == ["title", "", ""]
