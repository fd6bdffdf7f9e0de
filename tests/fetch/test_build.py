"""`pipeline.fetch.build`: what it builds is what the classes themselves build."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from pipeline.fetch import build
from pipeline.fetch.build import builder
from pipeline.schema import Author, Chemical, Dates, MeshHeading, Quote, Record, Section

BUILDERS = [
    (build.new_author, Author),
    (build.new_chemical, Chemical),
    (build.new_dates, Dates),
    (build.new_mesh_heading, MeshHeading),
    (build.new_record, Record),
    (build.new_section, Section),
]


@pytest.mark.parametrize(("new", "cls"), BUILDERS)
def test_a_built_value_is_a_value_of_its_class(new: Any, cls: Any) -> None:
    """Equal, of one hash, repr and pickle, by place or by name, with the class's own defaults."""
    names = [f.name for f in fields(cls)]
    for value, own in [
        (new(*names), cls(*names)),
        (new(**{n: n for n in names}), cls(**{n: n for n in names})),
        (new(*names[:2]), cls(*names[:2])),
    ]:
        assert type(value) is cls
        assert (value, hash(value), repr(value)) == (own, hash(own), repr(own))
        assert pickle.dumps(value) == pickle.dumps(own)
        assert copy.deepcopy(value) == own
        assert hasattr(value, "__dict__") == hasattr(own, "__dict__")


@pytest.mark.parametrize(("new", "cls"), BUILDERS)
def test_a_built_value_is_frozen(new: Any, cls: Any) -> None:
    names = [f.name for f in fields(cls)]
    with pytest.raises(FrozenInstanceError):
        setattr(new(*names), names[0], "other")


def test_a_built_record_keeps_what_it_derives() -> None:
    record = build.new_record("pmid1", "Title", (build.new_section("Text", "AIM"),))
    assert record.text == "Title\nAIM: Text"
    assert record.content_hash == Record("pmid1", "Title", (Section("Text", "AIM"),)).content_hash


def test_a_class_that_checks_its_values_is_refused() -> None:
    with pytest.raises(TypeError, match="without __post_init__"):
        builder(Quote)
