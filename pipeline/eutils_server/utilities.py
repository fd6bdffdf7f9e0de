"""The utilities that are served, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.eutils_server.answers import Answer, Call
from pipeline.eutils_server.efetch import efetch
from pipeline.eutils_server.einfo import einfo
from pipeline.eutils_server.elink import elink
from pipeline.eutils_server.epost import epost
from pipeline.eutils_server.esearch import esearch
from pipeline.eutils_server.esummary import esummary

UTILITIES: Mapping[str, Callable[[Call], Answer]] = {
    "einfo": einfo,
    "esearch": esearch,
    "epost": epost,
    "esummary": esummary,
    "efetch": efetch,
    "elink": elink,
}
