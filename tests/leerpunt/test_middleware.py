import gzip
from datetime import datetime
from zoneinfo import ZoneInfo

import brotli
import pytest
from django.test import Client, RequestFactory

from knowledgebase.models import SiteState
from leerpunt.middleware import PublicPages
from tests.factories import make_practice, make_source, make_user

pytestmark = pytest.mark.django_db
BRUSSELS = ZoneInfo("Europe/Brussels")
ADDRESS = "/praktijken/feedback/"


@pytest.fixture
def practice(time_machine):
    time_machine.move_to(datetime(2036, 3, 1, 12, tzinfo=BRUSSELS), tick=False)
    return make_practice("feedback")


def tag(client, address=ADDRESS, **headers):
    return client.get(address, headers=headers).headers["ETag"]


@pytest.mark.usefixtures("practice")
def test_what_a_public_page_says_about_itself(client):
    response = client.get(ADDRESS)
    assert response.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Last-Modified"] == "Sat, 01 Mar 2036 11:00:00 GMT"
    assert response.headers["ETag"] == tag(client)


@pytest.mark.usefixtures("practice")
@pytest.mark.parametrize("address", ["/", "/praktijken/", ADDRESS, "/bronnen/", "/feed/", "/sitemap.xml"])
def test_a_repeated_request_is_answered_without_rendering(client, address, django_assert_num_queries):
    first = client.get(address)
    for condition in (first.headers["ETag"], f"W/{first.headers['ETag']}", f'"other", {first.headers["ETag"]}'):
        with django_assert_num_queries(1):
            again = client.get(address, headers={"if-none-match": condition})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Last-Modified", "Cache-Control", "Vary"):
            assert again.headers[name] == first.headers[name]
    since = client.get(address, headers={"if-modified-since": first.headers["Last-Modified"]})
    assert (since.status_code, since.content) == (304, b"")


@pytest.mark.usefixtures("practice")
def test_another_tag_counts_more_than_the_date(client):
    headers = {"if-none-match": '"other"', "if-modified-since": "Sat, 01 Mar 2036 11:00:00 GMT"}
    assert client.get(ADDRESS, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "condition",
    [{"if-modified-since": "Sat, 01 Mar 2036 23:00:00 GMT"}, {"if-none-match": "*"}, {"if-none-match": '"x"'}],
)
def test_what_does_not_exist_is_never_unchanged(client, practice, condition):
    gone = make_practice("weg", state="withdrawn")
    assert client.get("/praktijken/bestaat-niet/", headers=condition).status_code == 404
    assert client.get(gone.get_absolute_url(), headers=condition).status_code == 410


@pytest.mark.usefixtures("practice")
def test_the_tag_changes_with_everything_a_page_depends_on(client, time_machine, settings):
    tags = [tag(client)]
    make_practice("andere")
    tags.append(tag(client))
    source = make_source("jansen-2020")
    source.title = "Een betere titel"
    source.save()
    tags.append(tag(client))
    time_machine.move_to(datetime(2036, 3, 2, 0, 1, tzinfo=BRUSSELS), tick=False)
    tags.append(tag(client))
    settings.CODE_VERSION = "anders"
    tags.append(tag(client))
    tags += [tag(client, "/praktijken/"), tag(client, "/praktijken/?pagina=1"), tag(client, f"{ADDRESS}?maat=effect")]
    tags += [tag(client, **{"accept-encoding": "br"}), tag(client, **{"accept-encoding": "gzip"})]
    assert len(set(tags)) == len(tags)


@pytest.mark.usefixtures("practice")
def test_the_page_shows_a_change_at_once(client):
    old = tag(client)
    source = make_source("jansen-2020")
    source.title = "Een betere titel"
    source.save()
    response = client.get(ADDRESS, headers={"if-none-match": old})
    assert response.status_code == 200
    assert "Een betere titel" in response.content.decode()


@pytest.mark.usefixtures("practice")
def test_the_date_moves_at_midnight_in_brussels(client, time_machine):
    first = client.get(ADDRESS).headers["Last-Modified"]
    time_machine.move_to(datetime(2036, 3, 1, 23, 59, tzinfo=BRUSSELS), tick=False)
    assert client.get(ADDRESS).headers["Last-Modified"] == first
    time_machine.move_to(datetime(2036, 3, 2, 0, 0, tzinfo=BRUSSELS), tick=False)
    assert client.get(ADDRESS).headers["Last-Modified"] == "Sat, 01 Mar 2036 23:00:00 GMT"


@pytest.mark.usefixtures("practice")
def test_head_answers_as_get_without_a_body(client):
    head, get = client.head(ADDRESS), client.get(ADDRESS)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Last-Modified", "Cache-Control", "Vary", "Content-Type"):
        assert head.headers[name] == get.headers[name]
    assert client.head(ADDRESS, headers={"if-none-match": head.headers["ETag"]}).status_code == 304
    assert client.head("/praktijken/bestaat-niet/").status_code == 404


@pytest.mark.usefixtures("practice")
@pytest.mark.parametrize("address", ["/", "/praktijken/", ADDRESS, "/feed/", "/praktijken/bestaat-niet/"])
def test_compressed_pages_say_the_same(client, address):
    plain = client.get(address)
    assert "Content-Encoding" not in plain.headers
    for encoding, decode in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        packed = client.get(address, headers={"accept-encoding": encoding})
        assert packed.headers["Content-Encoding"] == encoding
        assert packed.headers["Content-Length"] == str(len(packed.content))
        assert len(packed.content) < len(plain.content)
        assert decode(packed.content) == plain.content
        assert packed.status_code == plain.status_code
        assert packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", ""), ("identity", ""), ("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.5", "br"), ("br;q=0, gzip", "gzip"), ("br; q=0.0,gzip;q=0", ""), ("BR", "br"),
        ("*", ""), ("brotli", ""), (";;,,=", ""), ("x" * 10_000, ""),
    ],
)  # fmt: skip
def test_which_encoding(accepted, encoding):
    request = RequestFactory().get("/", headers={"accept-encoding": accepted})
    assert PublicPages.encoding(request) == encoding


@pytest.mark.usefixtures("practice")
def test_what_is_small_or_packed_already_is_left_alone(client):
    for address in ("/robots.txt", "/praktijken/feedback/citeren.bib", "/praktijken/feedback/kaart.png"):
        response = client.get(address, headers={"accept-encoding": "br, gzip"})
        assert response.status_code == 200
        assert "Content-Encoding" not in response.headers, address


@pytest.mark.parametrize("address", ["/aanmelden/", "/admin/", "/healthz", "/readyz", "/onderdelen/"])
def test_private_addresses_are_not_kept_and_not_compressed(address):
    client = Client()
    client.force_login(make_user(role="eindredacteur"))
    response = client.get(address, headers={"accept-encoding": "br, gzip"})
    assert response.status_code in (200, 302)
    assert {"private", "no-store"} <= set(response.headers["Cache-Control"].split(", "))
    assert "Content-Encoding" not in response.headers
    assert "ETag" not in response.headers


@pytest.mark.parametrize("count", [0, 1, 3])
def test_one_question_more_than_the_page_itself_asks(client, count, django_assert_num_queries):
    for _ in range(count):
        SiteState.touch()
    with django_assert_num_queries(1):
        client.get("/robots.txt")
