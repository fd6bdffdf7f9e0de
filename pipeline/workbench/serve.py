"""Serves the workbench on an address of this machine."""

from __future__ import annotations

import ipaddress
import socket

import uvicorn
from starlette.types import ASGIApp

from pipeline.errors import ConfigError


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """Take an address before anything is served; port 0 is a free one.

    Raises
    ------
    ConfigError
        If it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(128)  # who comes before the server is up waits
    except OSError as error:
        taken.close()
        raise ConfigError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
    return taken


def address(host: str, taken: socket.socket) -> str:
    """Return the address of a bound socket as a browser wants it."""
    name = "127.0.0.1" if host in ("0.0.0.0", "") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{name}:{taken.getsockname()[1]}"


def server(app: ASGIApp) -> uvicorn.Server:
    """Return a server that neither logs requests, whose addresses hold tokens, nor names itself."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(config)
