"""The page's server under attack: bad JSON to every question, slow clients, and many of them."""

import asyncio
import json
import socket
import threading
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn
from patience import PATIENCE
from served import served

from itp_response.definitions.load import load
from itp_response.teaching import api, connections
from itp_response.teaching.page_data import PageData
from itp_response.teaching.teach import listening

QUESTIONS = ("decide", "counterfactuals", "quiz", "reclassified")
DIGITS = b"9" * 5_000
NOT_JSON = {
    "nothing": (b"", "is not JSON"),
    "nested": (b"[" * 60_000, "nested too deep"),
    "nested objects": (b'{"a":' * 10_000, "nested too deep"),
    "digits": (b'{"criteria": "atra_2022", "seed": ' + DIGITS + b"}", "a number has too many digits"),
    "not a number": (b'{"timeline": NaN}', "NaN is not a number of JSON"),
    "infinite": (b'{"a": -Infinity}', "-Infinity is not a number of JSON"),
    "half a pair": (rb'{"criteria": "\ud800"}', "half of a surrogate pair"),
    "half a pair in a key": (rb'{"\udc00": 1}', "half of a surrogate pair"),
    "Latin-1": (b'{"criteria": "\xe9"}', "not UTF-8"),
}
NO_QUESTIONS = {
    "null": b"null",
    "list": b"[1]",
    "text": b'"x"',
    "empty": b"{}",
    "types": b'{"timeline": 5, "sets": {"a": 1}, "criteria": ["x"]}',
    "no such set": b'{"criteria": "../../etc/passwd", "timeline": "d0 15", "sets": [{"criteria": "x"}]}',
    "large": b'{"criteria": "atra_2022", "seed": 1e999, "timeline": "d0 15", "sets": []}',
    "beyond 64 bits": b'{"criteria": "atra_2022", "seed": 99999999999999999999999, "interpretations": 3}',
}
TIMELINES = {
    "a count of many digits": f"d0 15, d7 {'9' * 400}",
    "a bound of many digits": f"d0 15, d7 <{'9' * 400}",
    "a day of many digits": f"d{'9' * 5_000} 4",
    "a rescue of many digits": f"d0 15 rescue to d{'9' * 5_000}",
    "nul": "\x00",
    "too many": "d0..d364 5," * 1_500,
}


@pytest.fixture(scope="module")
def client():
    with (
        served(api.app(PageData(load("atra_2022")), 8017)) as address,
        httpx.Client(base_url=address, headers={"Host": "127.0.0.1:8017"}, trust_env=False, timeout=PATIENCE) as client,
    ):
        yield client


def posted(client, question, content):
    return client.post(f"/api/{question}", content=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("question", QUESTIONS)
class TestBadJSON:
    @pytest.mark.parametrize("case", NOT_JSON)
    def test_is_refused_in_a_sentence(self, client, question, case):
        content, said = NOT_JSON[case]
        answer = posted(client, question, content)
        assert (answer.status_code, said in answer.json()["error"]) == (400, True), answer.text

    @pytest.mark.parametrize("case", NO_QUESTIONS)
    def test_of_another_form_is_refused_too(self, client, question, case):
        assert posted(client, question, NO_QUESTIONS[case]).status_code == 422


@pytest.mark.parametrize("question", ["decide", "counterfactuals"])
@pytest.mark.parametrize("case", TIMELINES)
def test_a_timeline_that_is_too_much_is_an_error_of_the_timeline(client, question, case):
    content = json.dumps({"timeline": TIMELINES[case], "sets": [{"criteria": "atra_2022"}]})
    answer = posted(client, question, content.encode())
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("timeline")


@contextmanager
def as_taught():
    """The address of the page's own server."""
    listener = listening(None)
    address = listener.getsockname()
    config = uvicorn.Config(
        api.app(PageData(load("atra_2022")), address[1]),
        http=connections.PunctualProtocol,
        lifespan="off",
        log_level="critical",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def impatient(monkeypatch):
    """The address of a server that waits for a fraction of a second only."""
    monkeypatch.setattr(connections, "PATIENCE", 0.1)
    monkeypatch.setattr(api, "PATIENCE", 0.1)
    with as_taught() as address:
        yield address


HALF_A_POST = (
    b"POST /api/decide HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)


def all_of(connection):
    """All that the server says until it closes the connection."""
    said = b""
    while True:
        try:
            part = connection.recv(65_536)
        except ConnectionResetError:
            return said
        if not part:
            return said
        said += part


class TestSlowClients:
    @pytest.mark.parametrize(
        ("sent", "said"),
        [
            (b"", b""),
            (b"POST /api/decide HTTP/1.1\r\nHo", b""),
            (
                HALF_A_POST,
                b"did not arrive within 0.1 seconds",
            ),
        ],
    )
    def test_are_not_waited_for(self, impatient, sent, said):
        with socket.create_connection(impatient, timeout=PATIENCE) as connection:
            connection.sendall(sent.replace(b"%d", b"%d" % impatient[1]))
            assert said in all_of(connection)

    @pytest.mark.parametrize("sent", [b"", b"GET / HT", HALF_A_POST])
    def test_do_not_keep_the_page_from_others(self, monkeypatch, sent):
        """There are more of them than there may be connections, and none is given up for its slowness."""
        monkeypatch.setattr(connections, "PATIENCE", 3_600)
        monkeypatch.setattr(api, "PATIENCE", 3_600)
        with as_taught() as address, ExitStack() as kept:
            slow = [
                kept.enter_context(socket.create_connection(address, timeout=PATIENCE))
                for _ in range(connections.MOST_CONNECTIONS + 8)
            ]
            for one in slow[8:]:
                one.sendall(sent.replace(b"%d", b"%d" % address[1]))
            with httpx.Client(base_url="http://{}:{}".format(*address), trust_env=False, timeout=PATIENCE) as other:
                assert other.get("/").status_code == 200
            assert [all_of(one) for one in slow[:9]] == [b""] * 9

    def test_a_further_connection_than_there_may_be_is_closed(self, impatient, monkeypatch):
        monkeypatch.setattr(connections, "MOST_CONNECTIONS", 0)
        with socket.create_connection(impatient, timeout=PATIENCE) as connection:
            assert all_of(connection) == b""
