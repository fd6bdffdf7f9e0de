"""Serves the E-utilities of PubMed on loopback: the project's test peer and demo.

    with serving(Synthetic(n=5_000)) as server:
        ...  # ask server.base_url, then read server.journal

A corpus of PubMed XML or of made-up records is answered as NCBI answers, limits included, and
goes wrong as a `Scenario` says. `query` documents the part of PubMed's language that is served.
"""

from pipeline.eutils_server.corpus import Synthetic
from pipeline.eutils_server.faults import KINDS
from pipeline.eutils_server.index import load
from pipeline.eutils_server.journal import Journal, Request
from pipeline.eutils_server.scenario import Fault, Scenario
from pipeline.eutils_server.server import Server, serving

__all__ = [
    "KINDS",
    "Fault",
    "Journal",
    "Request",
    "Scenario",
    "Server",
    "Synthetic",
    "load",
    "serving",
]
