"""Every published data set at hand: our numbers and metafor's, within each kind's tolerance."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

REPO = Path(__file__).parents[2]


def test_every_case_agrees_with_metafor(compare: ModuleType, shared: Path) -> None:
    """metafor 5.0-1 over 77 cases; each tolerance stands with its reason in TOLERANCES."""
    folder = shared / "data" / "meta"
    found = [d for case in compare.cases(folder) for d in compare.differences(case)]
    far = [d for d in found if not d.size <= compare.TOLERANCES[d.block][0]]
    assert not far, far[:5]
    assert {d.block for d in found} == set(compare.TOLERANCES)
    assert len(found) > 40_000


def test_the_document_is_what_the_command_prints(compare: ModuleType, shared: Path) -> None:
    """docs/validation.md names every kind of model that is compared."""
    text = (REPO / "docs" / "validation.md").read_text(encoding="utf-8")
    assert all(f"| {block} |" in text for block in compare.TOLERANCES)
