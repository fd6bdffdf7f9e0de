"""The command review: the workbench in the browser."""

from __future__ import annotations

import getpass
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import DEFAULT_CONFIG, ConfigFile, open_review
from pipeline.errors import ConfigError, NothingFoundError

if TYPE_CHECKING:
    from pipeline.review_folder import Review
    from pipeline.schema import Extractor
    from pipeline.workbench.access import Access


def review(
    config: ConfigFile = DEFAULT_CONFIG,
    reviewer: Annotated[
        str | None, typer.Option(help="Your name in the audit log; by default your login.")
    ] = None,
    port: Annotated[int, typer.Option(help="0 for a free one.", min=0, max=65_535)] = 0,
    host: Annotated[
        str, typer.Option(help="Where to listen; beyond this machine only with --token-file.")
    ] = "127.0.0.1",
    token_file: Annotated[
        Path | None, typer.Option(help='A line for each reviewer, "name token".')
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A host name under which others ask for it; repeatable."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address.")
    ] = False,
) -> None:
    """Open the workbench: check, correct and agree in the browser; Ctrl-C ends it."""
    from pipeline.workbench import serve
    from pipeline.workbench.access import Access, read_tokens
    from pipeline.workbench.app import create_app
    from pipeline.workbench.desk import Desk

    if not serve.is_loopback(host) and token_file is None:
        raise ConfigError(f"--host {host} is reached by others: it needs --token-file.")
    who = _name(reviewer or getpass.getuser())
    access = Access(read_tokens(token_file), once=False) if token_file else Access.of_one(who)
    opened = open_review(config, {}, quiet=False)
    extractor = _read(opened)
    with serve.bind(host, port) as taken, opened.store(alone=False) as store:
        app = create_app(Desk(opened.config, store, extractor), access, hosts=[host, *(name or [])])
        address = serve.address(host, taken)
        _tell(address, access, host, open_browser=not no_browser)
        with suppress(KeyboardInterrupt):
            serve.server(app).run(sockets=[taken])


def _name(text: str) -> str:
    """A reviewer's name as it may stand in the log."""
    from pipeline.review.decide import Writer

    return Writer(text.strip(), "").who


def _read(opened: Review) -> Extractor:
    """Read what was fetched and not read yet; return who reads."""
    from pipeline.extract.reader import Reader
    from pipeline.update import read

    with opened.store() as store:
        found = store.latest_search()
        if found is None:
            raise NothingFoundError("Nothing was fetched yet; `evipool run` does it.")
        read(opened, store, found)
    return Reader(opened.config.eligibility, opened.config.outcomes).extractor


def _tell(address: str, access: Access, host: str, *, open_browser: bool) -> None:
    """Print where the workbench is, and open it."""
    from pipeline.workbench.serve import is_loopback

    if access.bound:
        typer.echo(f"{address}/?token=...")
        typer.echo("Each reviewer enters with the token of the file; Ctrl-C ends it.", err=True)
    else:
        (token,) = access.tokens.values()
        typer.echo(f"{address}/?token={token}")
        typer.echo("The address works once; Ctrl-C ends it.", err=True)
        if open_browser:
            webbrowser.open(f"{address}/?token={token}")
    if not is_loopback(host):
        typer.echo("Warning: others reach it, and nothing is encrypted on the way.", err=True)
