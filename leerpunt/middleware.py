import gzip
from collections.abc import Callable
from datetime import datetime, time
from hashlib import sha256

import brotli
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date

from knowledgebase.editorial.public import site_state

SMALLEST = 500  # bytes: below this, compressing gains nothing
TEXT = ("text/", "application/atom+xml", "application/xml", "application/json", "image/svg+xml")


class PublicPages:
    """Readers' pages: the same for everyone, answered with "not modified" where they are, and compressed.

    The ETag holds what such a page depends on: the address, the content version, the code version and the day. It is
    known before anything is rendered. Private addresses (settings.PRIVATE_PREFIXES) are left alone and not compressed,
    as they carry secrets.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(settings.PRIVATE_PREFIXES):
            response = self.get_response(request)
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response
        # A reader is nobody in particular: no cookie can make a public page differ.
        request.COOKIES = {}
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        state = site_state(request)
        today = timezone.localdate()
        key = f"{request.get_full_path()}|{state.content_key}|{settings.CODE_VERSION}|{today}"
        encoding = self.encoding(request)
        etag = f'"{sha256(key.encode()).hexdigest()[:24]}{encoding and "-" + encoding}"'
        midnight = timezone.make_aware(datetime.combine(today, time.min)).timestamp()
        changed = int(max(state.changed_at.timestamp(), settings.CODE_CHANGED, midnight))
        # Who sends this very tag had the page; other conditions wait until we know that there is a page.
        had = etag in request.headers.get("If-None-Match", "")
        response = (get_conditional_response(request, etag=etag) if had else None) or self.get_response(request)
        response.headers.setdefault("Cache-Control", "public, max-age=0, must-revalidate")
        patch_vary_headers(response, ["Accept-Encoding"])
        if response.status_code in (200, 304):
            response.headers["ETag"] = etag
            response.headers["Last-Modified"] = http_date(changed)
        if response.status_code == 200:
            response = get_conditional_response(request, etag, changed, response) or response
        if response.status_code != 304:
            self.compress(response, encoding)
        return response

    @staticmethod
    def encoding(request: HttpRequest) -> str:
        """The best encoding that the reader's program takes; a weight of zero refuses one."""
        offered = set()
        for part in request.headers.get("Accept-Encoding", "").lower().split(","):
            name, _semicolon, weight = part.replace(" ", "").partition(";q=")
            if weight.strip("0.") or not weight:
                offered.add(name)
        return next((name for name in ("br", "gzip") if name in offered), "")

    @staticmethod
    def compress(response: HttpResponse, encoding: str) -> None:
        kind = response.headers.get("Content-Type", "")
        if response.streaming or response.has_header("Content-Encoding") or not encoding or not kind.startswith(TEXT):
            return
        if len(response.content) < SMALLEST:
            return
        if encoding == "br":
            response.content = brotli.compress(response.content, quality=5)
        else:
            response.content = gzip.compress(response.content, compresslevel=6, mtime=0)
        response.headers["Content-Encoding"] = encoding
        response.headers["Content-Length"] = str(len(response.content))
