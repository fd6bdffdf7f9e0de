"""Who may enter the workbench: tokens of reviewers, and the sessions that they open."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigError

#: The shortest token that a file may name: shorter ones can be guessed.
SHORTEST = 16


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that entered: who works in it, and the token that its writes must show."""

    reviewer: str
    csrf: str


class Access:
    """The tokens that let in, and the sessions of those who came.

    Parameters
    ----------
    tokens : mapping of str to str
        Each reviewer's token.
    once : bool
        Whether a token opens one session only: that of a start address does, a reviewer's own
        token does not.
    """

    def __init__(self, tokens: Mapping[str, str], *, once: bool) -> None:
        self._tokens = dict(tokens)
        self._once = once
        self._sessions: dict[str, Session] = {}
        #: Two servers on one machine share a browser's cookies: each has a name of its own.
        self.cookie = f"evipool_{secrets.token_hex(4)}"
        self.bound = not once

    @classmethod
    def of_one(cls, reviewer: str) -> Access:
        """Return the access of one reviewer, who enters once by the start address."""
        return cls({reviewer: secrets.token_urlsafe(32)}, once=True)

    @property
    def tokens(self) -> Mapping[str, str]:
        """The tokens that still open a session, by reviewer."""
        return dict(self._tokens)

    def enter(self, token: str) -> str | None:
        """Open a session and return its key; None where the token is nobody's."""
        found = None
        for name, known in self._tokens.items():
            if secrets.compare_digest(known.encode(), token.encode("utf-8", "replace")):
                found = name
        if found is None:
            return None
        if self._once:
            del self._tokens[found]
        key = secrets.token_urlsafe(32)
        self._sessions[key] = Session(found, secrets.token_urlsafe(32))
        return key

    def session(self, key: str | None) -> Session | None:
        """Return the session of a cookie, None where it is not one of ours."""
        return self._sessions.get(key) if key else None


def read_tokens(path: Path) -> dict[str, str]:
    """Read a token file: a line for each reviewer, "name token"; # begins a comment.

    Raises
    ------
    ConfigError
        If the file cannot be read, a line is of another form, a name or token stands twice, or a
        token is short. The message repeats no token.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read the token file {path}: {error}.") from error
    tokens: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, token = _line(path, number, line)
            if name in tokens or token in tokens.values():
                raise ConfigError(f"{path}, line {number}: a name or token stands twice.")
            tokens[name] = token
    if not tokens:
        raise ConfigError(f"{path} names no reviewer.")
    return tokens


def _line(path: Path, number: int, line: str) -> tuple[str, str]:
    """The name and token of a line."""
    name, _, token = line.strip().rpartition(" ")
    if not name.strip() or not token.isascii():
        raise ConfigError(f'{path}, line {number}: must be "name token".')
    if len(token) < SHORTEST:
        raise ConfigError(
            f"{path}, line {number}: the token has {len(token)} characters; "
            f"must be {SHORTEST} or more."
        )
    return name.strip(), token
