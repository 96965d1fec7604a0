"""Asking other sites, politely: one request, a time limit, our name and address, no redirect followed by itself.

Commands and the admin use it; no page that readers see ever waits for another site.
"""

import http.client
import ipaddress
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from django.conf import settings

TIMEOUT = 10  # seconds
MAX_BODY = 1_000_000  # bytes of an answer that are read at most
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class NoAnswer(Exception):
    """The other site could not be asked: no network, no such name, too slow, or an address that is not on the web."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # names in small letters
    body: bytes = b""

    def next_of(self, url: str) -> str:
        """The address to which this answer to `url` sends on; empty when it does not."""
        to = self.headers.get("location", "")
        return urljoin(url, to) if self.status in REDIRECTS and to else ""


def user_agent() -> str:
    """Who we are and where to complain, as registries and robots.txt ask of programs."""
    return f"Leerpunt/1.0 (+{settings.SITE_URL}/over/; mailto:{_mail()})"


def _mail() -> str:
    _name, _bracket, address = settings.DEFAULT_FROM_EMAIL.rpartition("<")
    return address.rstrip(">").strip()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """None: the answer that sends on is the answer."""


def ask(url: str, *, method: str = "GET", accept: str = "*/*", timeout: float = TIMEOUT) -> Answer:
    """One request for an address on the public web. Raises NoAnswer."""
    try:
        url = ascii_address(url)
        _check_public(url)
        request = urllib.request.Request(  # noqa: S310  # http or https only, checked above
            url, method=method, headers={"User-Agent": user_agent(), "Accept": accept}
        )
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=timeout) as response:
                return _answer(response.status, response.headers, response.read(MAX_BODY))
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, b"")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(str(getattr(error, "reason", "")) or str(error) or type(error).__name__) from error


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def ascii_address(url: str) -> str:
    """An address as it goes over the line: the name of the site in IDNA, everything else percent-encoded.

    Raises ValueError when it is no address of http or https.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no address of http or https")
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    kept = "/:@!$&'()*+,;=~-._%"
    path, query = quote(parts.path, safe=kept), quote(parts.query, safe=f"{kept}?")
    return urlunsplit((parts.scheme, f"{host}{port}", path or "/", query, ""))


def _check_public(url: str) -> None:
    """Raises NoAnswer for an address inside our own network: what an editor typed never makes the server look there."""
    if urllib.request.getproxies().get(urlsplit(url).scheme):
        return  # the proxy decides where it goes
    host = urlsplit(url).hostname or ""
    port = urlsplit(url).port or (443 if url.startswith("https") else 80)
    for *_family, (address, *_port) in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(str(address).partition("%")[0]).is_global:
            raise NoAnswer("the address is not on the public web")
