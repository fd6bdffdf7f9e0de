"""The server itself: loopback only, bounded threads, control calls, a clean end."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from pipeline.errors import ConfigError
from pipeline.eutils_server import Fault, Scenario, Server, Synthetic, serving
from pipeline.eutils_server.index import Index
from pipeline.eutils_server.server import THREADS

SMALL = Synthetic(50, "dense")
FORM = {"db": "pubmed", "term": "all[sb]", "retmode": "json", "retmax": "100"}


def names() -> set[str]:
    """The threads that are alive."""
    return {thread.name for thread in threading.enumerate()}


def test_it_listens_on_loopback_and_on_no_other_address(server: Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"
    assert server.base_url == f"http://127.0.0.1:{server.server_address[1]}/entrez/eutils/"


def test_a_web_page_that_names_itself_is_refused(server: Server) -> None:
    headers = {"Host": f"evil.example:{server.server_address[1]}"}
    answer = requests.post(f"{server.base_url}esearch.fcgi", FORM, headers=headers, timeout=5)
    assert (answer.status_code, server.journal.requests) == (403, ())


@pytest.mark.parametrize("path", ["/", "/entrez/eutils/", "/entrez/eutils/egquery.fcgi", "/moved"])
def test_another_address_is_not_found(server: Server, path: str) -> None:
    assert requests.get(server.home + path, timeout=5).status_code == 404
    assert server.journal.requests == ()


def test_too_long_a_request_is_refused(server: Server) -> None:
    head = (
        f"POST /entrez/eutils/efetch.fcgi HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {1 << 40}"
    )
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5) as client:
        client.sendall(f"{head}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_the_day_is_asked_and_set_by_a_control_call(server: Server) -> None:
    address = f"{server.home}/control/day"
    assert requests.get(address, timeout=5).json() == {"day": 1, "days": 3}
    assert requests.post(address, {"d": "2"}, timeout=5).json() == {"day": 2, "days": 3}
    assert server.day == 2
    wrong = requests.get(address, {"d": "9"}, timeout=5)
    assert (wrong.status_code, wrong.text) == (400, "Invalid day 9; the corpus has days 1 to 3.\n")
    assert requests.get(address, {"d": "x"}, timeout=5).status_code == 400
    assert requests.get(f"{server.home}/control/nothing", timeout=5).status_code == 404


def test_a_connection_serves_many_requests(server: Server) -> None:
    with requests.Session() as session:
        for _ in range(3):
            session.post(f"{server.base_url}esearch.fcgi", FORM, timeout=5)
    assert len(server.journal.requests) == 3


def test_many_clients_at_once_are_all_answered_alike() -> None:
    with serving(SMALL, rate_limit=False) as server:

        def send(_: int) -> bytes:
            return requests.post(f"{server.base_url}esearch.fcgi", FORM, timeout=20).content

        with ThreadPoolExecutor(20) as pool:
            answers = set(pool.map(send, range(200)))
        assert len(server.journal.requests) == 200
    assert len(answers) == 1


def test_no_more_threads_than_allowed_and_the_rest_wait() -> None:
    scenario = Scenario((Fault("hang", chance=1.0),), hang_s=30)
    before = threading.active_count()
    with serving(SMALL, rate_limit=False, scenario=scenario) as server:
        clients = []
        for _ in range(THREADS + 10):
            client = socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=5)
            client.sendall(b"GET /entrez/eutils/einfo.fcgi HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            clients.append(client)
        deadline = time.monotonic() + 10
        while len(server.journal.requests) < THREADS and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(server.journal.requests) == THREADS
        assert threading.active_count() <= before + THREADS + 1
    for client in clients:
        client.close()
    assert threading.active_count() == before


def test_it_ends_at_once_with_hanging_and_idle_connections_open() -> None:
    before, started = names(), time.monotonic()
    scenario = Scenario((Fault("hang", "efetch", chance=1.0),), hang_s=300)
    with serving(SMALL, rate_limit=False, scenario=scenario) as server:
        idle = requests.Session()
        idle.post(f"{server.base_url}esearch.fcgi", FORM, timeout=5)
        with pytest.raises(requests.ReadTimeout):
            requests.post(f"{server.base_url}efetch.fcgi", {"id": "1"}, timeout=0.2)
        address = server.server_address
    idle.close()
    assert names() == before
    assert time.monotonic() - started < 60
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(address[0]), address[1]), timeout=5)


def test_the_index_of_another_is_left_open_and_its_own_is_closed(index: Index) -> None:
    with serving(index):
        pass
    assert index.days == 3 and index.references(101, 1) == [103, 102]


def test_a_port_in_use_is_refused(server: Server, index: Index) -> None:
    port = server.server_address[1]
    with (
        pytest.raises(ConfigError, match=f"Port {port} of 127.0.0.1 cannot be served"),
        serving(index, port=port),
    ):
        pass
