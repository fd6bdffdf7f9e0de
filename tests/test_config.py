"""config.yaml: where values come from, and what is refused with which words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config import Config, Loaded, load
from pipeline.errors import ConfigError

MINIMAL = """\
title: A review
ncbi:
  batch_size: 100
eligibility:
  intervention: {name: Immunoglobulin, short: Ig, terms: [IVIg]}
  population:
    - name: CIDP
  designs: [rct_parallel]
outcomes:
  - name: responders
    kind: binary
  - name: pain
    kind: continuous
questions:
  - id: q1
    title: Responders
    comparisons: [Ig vs placebo]
    outcome: responders
    measure: RR
review:
  mode: verify
"""

Reader = Callable[..., Loaded]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Load MINIMAL, or another text, with the given flags and environment."""

    def read(text: str = MINIMAL, **layers: Mapping[str, Any]) -> Loaded:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, **layers)

    return read


@pytest.fixture
def refusal(read: Reader) -> Callable[..., str]:
    """The message by which a configuration is refused."""

    def refusal(text: str = MINIMAL, **layers: Mapping[str, Any]) -> str:
        with pytest.raises(ConfigError) as caught:
            read(text, **layers)
        return str(caught.value)

    return refusal


def line_of(needle: str, text: str) -> int:
    """The 1-based line on which `needle` first stands."""
    return text[: text.index(needle)].count("\n") + 1


# Where values come from


def test_the_shipped_protocol_loads(repo: Path) -> None:
    loaded = load(repo / "config.yaml")
    assert loaded.config.source == "demo"
    assert loaded.config.title == "Intravenous immunoglobulin for neuropathies"


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(
    read: Reader, tmp_path: Path
) -> None:
    flags = {"ncbi.batch_size": 7}
    environ = {"EVIPOOL_NCBI__BATCH_SIZE": "8"}
    no_ncbi = MINIMAL.replace("ncbi:\n  batch_size: 100\n", "")
    cases = [
        (read(flags=flags, environ=environ), 7, "flag"),
        (read(environ=environ), 8, "environment"),
        (read(), 100, str(tmp_path / "config.yaml")),
        (read(no_ncbi), 200, "default"),
    ]
    for loaded, value, origin in cases:
        assert loaded.config.ncbi.batch_size == value
        assert loaded.origins["ncbi.batch_size"] == origin


def test_setting_one_value_of_a_part_keeps_the_others(read: Reader, tmp_path: Path) -> None:
    loaded = read(environ={"EVIPOOL_NCBI__EMAIL": "a@b.org"})
    assert (loaded.config.ncbi.email, loaded.config.ncbi.batch_size) == ("a@b.org", 100)
    assert loaded.origins["ncbi.email"] == "environment"
    assert loaded.origins["ncbi.batch_size"] == str(tmp_path / "config.yaml")


def test_a_flag_that_was_not_given_changes_nothing(read: Reader) -> None:
    assert read(flags={"title": None}).config.title == "A review"


def test_values_in_lists_have_origins_too(read: Reader, tmp_path: Path) -> None:
    origins = read().origins
    assert origins["questions[0].measure"] == str(tmp_path / "config.yaml")
    assert origins["outcomes[1].kind"] == str(tmp_path / "config.yaml")


def test_a_variable_that_empties_a_value_is_its_origin(read: Reader) -> None:
    text = MINIMAL + "database:\n  url: sqlite:///x.sqlite\n"
    loaded = read(text, environ={"EVIPOOL_DATABASE__URL": "null"})
    assert loaded.config.database.url is None
    assert loaded.origins["database.url"] == "environment"


@pytest.mark.parametrize(
    "query", ['"ivig"[tiab] AND 2019:2020[dp]', '"neuropathic pain"', "title: pain", "2020-13-45"]
)
def test_a_query_is_taken_from_a_variable_as_typed(read: Reader, query: str) -> None:
    assert read(environ={"EVIPOOL_QUERY": query}).config.query == query


def test_a_variable_may_hold_a_number_a_word_of_yaml_or_a_list(read: Reader) -> None:
    environ = {
        "EVIPOOL_NCBI__TIMEOUT_S": "2.5",
        "EVIPOOL_REVIEW__REQUIRE_REVIEWED": "true",
        "EVIPOOL_FILES": "[a.xml, b.nbib]",
    }
    config = read(environ=environ).config
    assert config.ncbi.timeout_s == 2.5
    assert config.review.require_reviewed is True
    assert config.files == (Path("a.xml"), Path("b.nbib"))


def test_variables_of_other_programs_and_of_the_tests_are_left_alone(read: Reader) -> None:
    environ = {"PATH": "/bin", "EVIPOOL_REQUIRE_ALL": "1", "EVIPOOL_CHROMIUM": "/usr/bin/chromium"}
    assert read(environ=environ).config == read().config


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(read: Reader) -> None:
    assert read("\ufeff" + MINIMAL.replace("\n", "\r\n")).config == read().config


# The API key


def test_an_api_key_in_the_file_is_refused_without_printing_it(
    refusal: Callable[..., str],
) -> None:
    message = refusal(MINIMAL.replace("ncbi:", "ncbi:\n  api_key: hush123"))
    assert "ncbi.api_key" in message
    assert "EVIPOOL_NCBI__API_KEY" in message
    assert "hush123" not in message


@pytest.mark.parametrize("key", ["hush123", "123", "no", "0123: x"])
def test_the_variable_holds_the_key_as_it_stands(read: Reader, key: str) -> None:
    held = read(environ={"EVIPOOL_NCBI__API_KEY": key}).config.ncbi.api_key
    assert held is not None
    assert held.get_secret_value() == key


def test_the_key_is_masked_wherever_the_configuration_is_printed(read: Reader) -> None:
    config = read(environ={"EVIPOOL_NCBI__API_KEY": "hush123"}).config
    for printed in (repr(config), str(config.model_dump()), config.model_dump_json()):
        assert "hush123" not in printed
        assert "api_key" in printed


def test_the_key_is_read_from_its_file_beside_the_configuration(
    read: Reader, tmp_path: Path
) -> None:
    (tmp_path / "key.txt").write_text("hush123\n")
    loaded = read(MINIMAL.replace("ncbi:", "ncbi:\n  api_key_file: key.txt"))
    assert loaded.config.ncbi.api_key is not None
    assert loaded.config.ncbi.api_key.get_secret_value() == "hush123"
    assert "hush123" not in repr(loaded)
    assert loaded.origins["ncbi.api_key"] != "default"


def test_the_variable_beats_the_key_file(read: Reader, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("from the file")
    text = MINIMAL.replace("ncbi:", "ncbi:\n  api_key_file: key.txt")
    held = read(text, environ={"EVIPOOL_NCBI__API_KEY": "from the variable"}).config.ncbi.api_key
    assert held is not None
    assert held.get_secret_value() == "from the variable"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_key_file_that_holds_no_key_is_refused_by_name(
    refusal: Callable[..., str], tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "key.txt").write_bytes(content)
    message = refusal(MINIMAL.replace("ncbi:", "ncbi:\n  api_key_file: key.txt"))
    assert "ncbi.api_key_file" in message
    assert "key.txt" in message


# The database's password


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://eva:hush123@db.example.org/evipool",
        "postgresql://eva:hush123/4 5@6@db.example.org/evipool",
        "postgresql://:hush123@db.example.org/evipool",
        "postgresql:///evipool?host=db.example.org&password=hush123&user=eva",
    ],
)
def test_a_database_login_is_masked_wherever_it_is_printed_and_kept_for_the_store(
    read: Reader, url: str
) -> None:
    loaded = read(environ={"EVIPOOL_DATABASE__URL": url})
    assert loaded.config.database.url == url
    assert loaded.origins["database.url"] == "environment"
    config = loaded.config
    for printed in (repr(loaded), str(config.model_dump()), config.model_dump_json()):
        assert "hush123" not in printed
    assert "***" in config.model_dump_json()
    assert "db.example.org" in config.model_dump_json()


@pytest.mark.parametrize("url", ["sqlite:///a@b.sqlite", "postgresql://db.example.org/evipool"])
def test_a_database_address_without_a_login_is_printed_whole(read: Reader, url: str) -> None:
    config = read(environ={"EVIPOOL_DATABASE__URL": url}).config
    assert config.model_dump(mode="json")["database"]["url"] == url


def test_a_database_address_in_the_wrong_place_is_refused_without_its_login(
    refusal: Callable[..., str],
) -> None:
    message = refusal(MINIMAL + "database: postgresql://eva:hush123@db.example.org/evipool\n")
    assert "database: Invalid 'postgresql://***@db.example.org/evipool'" in message


# What is refused


@pytest.mark.parametrize(
    ("right", "typo", "path"),
    [
        ("title: A", "titel: A", "titel"),
        ("batch_size", "batchsize", "ncbi.batchsize"),
        ("designs", "design", "eligibility.design"),
        ("short: Ig", "shrot: Ig", "eligibility.intervention.shrot"),
        ("kind: continuous", "knid: continuous", "outcomes[1].knid"),
        ("comparisons", "comparison", "questions[0].comparison"),
    ],
)
def test_a_typo_is_refused_with_line_path_and_suggestion(
    refusal: Callable[..., str], right: str, typo: str, path: str
) -> None:
    text = MINIMAL.replace(right, typo)
    wanted, printed = right.partition(":")[0], refusal(text)
    assert f"line {line_of(typo, text)}: unknown key {path}" in printed
    assert f"did you mean '{wanted}'?" in printed


def test_a_typo_inside_a_model_is_suggested_from_the_models_keys(
    refusal: Callable[..., str],
) -> None:
    text = MINIMAL.replace("measure: RR", "measure: RR\n    model: {metod: DL}")
    message = refusal(text)
    assert "questions[0].model.metod" in message
    assert "'method'" in message


def test_every_wrong_value_is_named_at_once(refusal: Callable[..., str]) -> None:
    text = MINIMAL.replace("batch_size: 100", "batch_size: 0").replace("binary", "yes-no")
    first, second = refusal(text).splitlines()
    assert f"line {line_of('batch_size', text)}: ncbi.batch_size: Invalid 0;" in first
    assert f"line {line_of('kind: yes-no', text)}: outcomes[0].kind: Invalid 'yes-no';" in second


def test_a_missing_key_is_named(refusal: Callable[..., str]) -> None:
    assert "title is missing" in refusal(MINIMAL.replace("title: A review\n", ""))
    assert "outcomes[0].kind is missing" in refusal(MINIMAL.replace("    kind: binary\n", ""))


@pytest.mark.parametrize("scalar", ["no", "off", "n/a", "3", "[dual]"])
def test_a_mode_must_be_one_of_three_words_and_yamls_no_is_none(
    refusal: Callable[..., str], scalar: str
) -> None:
    text = MINIMAL.replace("mode: verify", f"mode: {scalar}")
    message = refusal(text)
    assert f"line {line_of('mode', text)}: review.mode: Invalid" in message
    assert "'dual'" in message


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("batch_size: 100", "batch_size: 501", "ncbi.batch_size"),
        ("batch_size: 100", "timeout_s: 0", "ncbi.timeout_s"),
        ("terms: [IVIg]", "terms: []", "eligibility.intervention.terms"),
        ("[rct_parallel]", "[rct]", "eligibility.designs[0]"),
        ("[rct_parallel]", "[]", "eligibility.designs"),
        ("measure: RR", "measure: RR\n    ri: 1", "questions[0].ri"),
        ("measure: RR", "measure: RR\n    ri: .nan", "questions[0].ri"),
        ("measure: RR", "measure: RR\n    model: {level: 95}", "questions[0].model.level"),
        ("measure: RR", "measure: RR\n    model: {method: PMM}", "questions[0].model.method"),
        ("measure: RR", "measure: RR\n    favours: [one]", "questions[0].favours"),
        ("id: q1", "id: Q 1", "questions[0].id"),
        ("kind: continuous", "kind: continuous\n    range: [10, 0]", "outcomes[1].range"),
        ("kind: continuous", "kind: continuous\n    range: [.nan, 10]", "outcomes[1].range"),
        ("ncbi:\n  batch_size: 100", "ncbi: 5", "ncbi"),
        ("ncbi:\n  batch_size: 100", "ncbi: api_key", "ncbi"),
    ],
)
def test_an_impossible_value_is_refused_by_path(
    refusal: Callable[..., str], old: str, new: str, path: str
) -> None:
    assert f": {path}" in refusal(MINIMAL.replace(old, new))


def test_a_key_that_stands_twice_is_refused_with_its_line(refusal: Callable[..., str]) -> None:
    text = MINIMAL.replace("    kind: binary\n", "    kind: binary\n    kind: continuous\n")
    line = line_of("kind: continuous", text)
    assert f"line {line}: the key 'kind' stands twice" in refusal(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("title: [1, 2\nquery: x\n", "line 2"),
        ("title: A\n\tquery: x\n", "line 2"),
        ("title: 'A\n", "line 2"),
        ("title: A\n---\ntitle: B\n", "line 2"),
        ("title: !!python/object:os.system {}\n", "line 1"),
    ],
)
def test_broken_yaml_is_refused_with_its_line(
    refusal: Callable[..., str], text: str, place: str
) -> None:
    message = refusal(text)
    assert "config.yaml is not valid YAML" in message
    assert place in message
    assert "\n" not in message


def test_a_date_that_does_not_exist_is_refused(refusal: Callable[..., str]) -> None:
    assert "config.yaml" in refusal(MINIMAL.replace("A review", "2020-13-45"))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n", "5\n"])
def test_a_file_without_keys_and_values_is_refused(refusal: Callable[..., str], text: str) -> None:
    assert "must hold keys and values" in refusal(text)


def test_a_file_that_is_absent_or_unreadable_is_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent.yaml"
    with pytest.raises(ConfigError, match=re.escape(str(absent))) as caught:
        load(absent)
    assert "evipool init" in str(caught.value)
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path))):
        load(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("title: Sjögren".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml"):
        load(latin)


# Names that must agree


def test_a_question_on_an_unknown_outcome_is_refused_with_the_known_ones(
    refusal: Callable[..., str],
) -> None:
    text = MINIMAL.replace("outcome: responders", "outcome: responder")
    message = refusal(text)
    assert f"line {line_of('outcome: responder', text)}" in message
    assert "questions[0].outcome: 'responder' is not defined" in message
    assert "did you mean 'responders'?" in message
    assert "responders, pain" in message


def test_a_question_on_an_unknown_condition_is_refused(refusal: Callable[..., str]) -> None:
    message = refusal(MINIMAL.replace("measure: RR", "measure: RR\n    conditions: [CIPD]"))
    assert "questions[0].conditions[0]: 'CIPD' is not defined" in message
    assert "did you mean 'CIDP'?" in message


def test_two_questions_of_one_id_are_refused(refusal: Callable[..., str]) -> None:
    question = MINIMAL[MINIMAL.index("  - id") : MINIMAL.index("review:")]
    message = refusal(MINIMAL.replace(question, question * 2))
    assert "questions" in message
    assert "'q1'" in message


def test_two_outcomes_or_conditions_of_one_name_are_refused(refusal: Callable[..., str]) -> None:
    assert "'responders'" in refusal(MINIMAL.replace("name: pain", "name: responders"))
    assert "'CIDP'" in refusal(MINIMAL.replace("- name: CIDP", "- name: CIDP\n    - name: CIDP"))


# Variables that are wrong


def test_an_unknown_variable_is_refused_by_its_own_name(refusal: Callable[..., str]) -> None:
    message = refusal(environ={"EVIPOOL_NCBI__EMIAL": "a@b.org"})
    assert "EVIPOOL_NCBI__EMIAL" in message
    assert "config.yaml" not in message


def test_a_wrong_value_of_a_variable_is_not_blamed_on_the_file(
    refusal: Callable[..., str],
) -> None:
    message = refusal(environ={"EVIPOOL_NCBI__BATCH_SIZE": "0"})
    assert "EVIPOOL_NCBI__BATCH_SIZE" in message
    assert "Invalid 0" in message
    assert "config.yaml" not in message


def test_a_wrong_value_of_a_flag_is_not_blamed_on_the_file(refusal: Callable[..., str]) -> None:
    message = refusal(flags={"ncbi.batch_size": 0})
    assert "ncbi.batch_size: Invalid 0" in message
    assert "config.yaml" not in message


def test_variables_that_contradict_each_other_are_refused(refusal: Callable[..., str]) -> None:
    assert "EVIPOOL_NCBI" in refusal(environ={"EVIPOOL_NCBI": "x", "EVIPOOL_NCBI__EMAIL": "y"})


# What a configuration is


def test_a_configuration_cannot_be_changed(config: Config) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config.title = "another"  # type: ignore[misc]


def test_an_outcome_is_found_by_its_name(config: Config) -> None:
    assert config.outcome("pain").range == (0, 10)


def test_the_dump_of_the_shipped_protocol_reads_back_as_itself(config: Config) -> None:
    plain = config.model_dump(mode="json")
    del plain["ncbi"]["api_key"]
    assert Config.model_validate(plain) == config
