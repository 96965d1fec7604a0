"""The client against a server on this machine; what keeps it off our own network is taken away for that."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from knowledgebase import web
from knowledgebase.web import Answer, NoAnswer, ascii_address, ask, user_agent


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        if self.path == "/weg":
            self.send_response(302)
            self.send_header("Location", "/elders?a=1")
            self.end_headers()
        elif self.path == "/dicht":
            self.send_response(403)
            self.end_headers()
        elif self.path == "/niets":
            self.wfile.write(b"")
        elif self.path == "/traag":
            self.server.stop.wait(5)
        else:
            body = b"x" * 1_500_000 if self.path == "/groot" else b"dag"
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  # the library's name

    def log_message(self, *args):
        """Nothing: tests are quiet."""


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.stop = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.stop.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def _anywhere(monkeypatch):
    monkeypatch.setattr(web, "_check_public", lambda url: None)


@pytest.mark.usefixtures("_anywhere")
def test_an_answer_has_a_status_headers_and_a_body(server, settings):
    settings.SITE_URL, settings.DEFAULT_FROM_EMAIL = "https://leerpunt.example", "Leerpunt <post@leerpunt.example>"
    answer = ask(f"{server.address}/dag", accept="text/plain")
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/plain", b"dag")
    method, path, headers = server.seen[-1]
    assert (method, path, headers["Accept"]) == ("GET", "/dag", "text/plain")
    agent = "Leerpunt/1.0 (+https://leerpunt.example/over/; mailto:post@leerpunt.example)"
    assert headers["User-Agent"] == user_agent() == agent


@pytest.mark.usefixtures("_anywhere")
def test_a_redirect_is_an_answer_and_is_not_followed(server):
    address = f"{server.address}/weg"
    answer = ask(address, method="HEAD")
    assert (answer.status, answer.next_of(address)) == (302, f"{server.address}/elders?a=1")
    assert server.seen[-1][:2] == ("HEAD", "/weg")
    assert Answer(200, {"location": "/x"}).next_of(address) == Answer(301).next_of(address) == ""


@pytest.mark.usefixtures("_anywhere")
def test_a_refusal_is_an_answer(server):
    assert ask(f"{server.address}/dicht").status == 403


@pytest.mark.usefixtures("_anywhere")
def test_no_more_is_read_than_the_most(server):
    assert len(ask(f"{server.address}/groot").body) == web.MAX_BODY


@pytest.mark.usefixtures("_anywhere")
@pytest.mark.parametrize("path", ["/niets", "/traag"])
def test_what_does_not_answer_is_told(server, path):
    with pytest.raises(NoAnswer) as error:
        ask(f"{server.address}{path}", timeout=0.3)
    assert str(error.value)


@pytest.mark.usefixtures("_anywhere")
def test_nobody_listens_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NoAnswer):
        ask(f"http://127.0.0.1:{port}/", timeout=2)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/", "javascript:alert(1)", "", "http://", "//x"]
)
def test_only_the_web_is_asked(url):
    with pytest.raises(NoAnswer):
        ask(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
    ],
)
def test_our_own_network_is_not_asked(monkeypatch, url):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NoAnswer, match="not on the public web"):
        ask(url)


@pytest.mark.parametrize(
    ("url", "written"),
    [
        (" https://example.org ", "https://example.org/"),
        ("https://exämple.org/a b/é?x=ü y#deel", "https://xn--exmple-cua.org/a%20b/%C3%A9?x=%C3%BC%20y"),
        ("https://example.org:8443/a%20b?x=1&y=2", "https://example.org:8443/a%20b?x=1&y=2"),
        ("https://doi.org/10.1002/(SICI)1:1<1::A>3.0.CO;2-0", "https://doi.org/10.1002/(SICI)1:1%3C1::A%3E3.0.CO;2-0"),
    ],
)
def test_addresses_as_they_go_over_the_line(url, written):
    assert ascii_address(url) == written
