"""What a command hears of a search and a fetch: shown on stderr, and kept for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer


class Heard:
    """Listens to a review (`Review.tell`).

    Parameters
    ----------
    shown : bool
        Whether what is heard is shown at once: each file that is read, how PubMed read the query
        and what it warns of, each request that is sent again.
    files : bool
        Whether the files that are read are the user's own.
    query : bool
        Whether the query and its warnings are shown.
    """

    def __init__(self, *, shown: bool, files: bool, query: bool = True) -> None:
        self._shown, self._files, self._query = shown, files, query
        self._read: list[dict[str, Any]] = []
        self._duplicates: dict[str, Any] = {}

    def __call__(self, event: str, /, *, level: str = "info", **fields: Any) -> None:
        """Take an event."""
        if event == "file":
            self._read.append({k: v for k, v in fields.items() if k != "step"})
        elif event == "duplicates":
            self._duplicates = {k: v for k, v in fields.items() if k != "step"}
        if self._shown:
            for line in self._lines(event, fields):
                typer.echo(line, err=True)

    def as_json(self) -> dict[str, Any]:
        """What was read of the user's files, as "import"; empty where none were read."""
        if not self._files or not self._read:
            return {}
        return {"import": {"files": self._read, "duplicates": self._duplicates}}

    def _lines(self, event: str, fields: dict[str, Any]) -> Iterator[str]:
        """What is said of an event."""
        if event == "file" and self._files:
            from pipeline.fetch.contents import summary

            yield summary(**{k: fields[k] for k in ("file", "kind", "records", "problems")})
        elif event == "duplicates" and self._files and fields["records"] > 1:
            yield _said(fields)
        elif event == "searched" and self._query:
            if fields["translation"]:
                yield f"PubMed searched: {fields['translation']}"
            yield from (f"Warning: {warning}" for warning in fields["warnings"])
        elif event == "retried":
            yield (
                f"NCBI's {fields['utility']}: {fields['reason']}; asking again in "
                f"{fields['pause_s']:.1f} s (attempt {fields['attempt']})."
            )


def _said(found: dict[str, Any]) -> str:
    """The line on duplicates in the report of an import."""
    removed, pairs = found["removed"], found["candidates"]
    said = f"{sum(removed.values())} of {found['records']} records left out"
    if removed:
        said += f" ({', '.join(f'{n} by {what}' for what, n in removed.items())})"
    if pairs:
        said += f"; {pairs} {'pair' if pairs == 1 else 'pairs'} for a person to judge, both read"
    return f"Duplicates: {said}."
