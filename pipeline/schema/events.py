"""What happens on the way: events, told as they happen to who listens."""

from __future__ import annotations

from typing import Protocol


class Tell(Protocol):
    """Is called with an event's name and what is to be said of it; `RunLog` is one."""

    def __call__(self, event: str, /, *, level: str = "info", **fields: object) -> None:
        """Take an event; its fields hold no key, no e-mail and no text of a record."""


def silent(event: str, /, *, level: str = "info", **fields: object) -> None:
    """Tell nobody."""


def to_all(*listeners: Tell) -> Tell:
    """Return what tells all of these, in their order."""

    def tell(event: str, /, *, level: str = "info", **fields: object) -> None:
        for listener in listeners:
            listener(event, level=level, **fields)

    return tell
