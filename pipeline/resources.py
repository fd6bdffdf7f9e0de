"""Finds the files that are shipped with the package: the example protocol and the demo corpus."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import PipelineError

#: Where each stands in a checkout; in the installed package all stand in pipeline/shipped/.
IN_CHECKOUT = {"config.yaml": "config.yaml", "demo": "corpus/demo"}


def shipped(name: str) -> Path:
    """Return the path of a shipped file or folder.

    Parameters
    ----------
    name : str
        "config.yaml" or "demo".

    Raises
    ------
    PipelineError
        If the installation lacks it.
    """
    package = Path(__file__).resolve().parent
    places = (package / "shipped" / name, package.parent / IN_CHECKOUT[name])
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise PipelineError(f"This installation lacks {name!r}; looked at {places[0]}.")
    return found
