"""Token files, and the addresses that the workbench listens on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.workbench.access import read_tokens
from pipeline.workbench.serve import address, bind, is_loopback


def test_a_token_file_names_its_reviewers(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"# our two\nAda Lovelace {'a' * 20}\n\nBen {'b' * 16}\n")
    assert read_tokens(path) == {"Ada Lovelace": "a" * 20, "Ben": "b" * 16}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no reviewer"),
        ("Ada\n", "line 1"),
        ("Ada short\n", "5 characters"),
        (f"Ada {'a' * 20}\nAda {'b' * 20}\n", "line 2"),
        (f"Ada {'a' * 20}\nBen {'a' * 20}\n", "line 2"),
        (f"Ada {'ä' * 20}\n", "line 1"),
    ],
)
def test_a_wrong_token_file_is_refused_without_telling_a_token(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        read_tokens(path)
    assert "a" * 20 not in str(refused.value)


def test_a_token_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot read the token file"):
        read_tokens(tmp_path / "none")


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("192.168.0.7", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_port_0_is_a_free_one() -> None:
    with bind("127.0.0.1", 0) as one, bind("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1]
        assert address("127.0.0.1", one) == f"http://127.0.0.1:{one.getsockname()[1]}"
        with pytest.raises(ConfigError, match="Cannot listen"):
            bind("127.0.0.1", one.getsockname()[1])
