import pytest
from django.contrib import admin
from django.test import Client

from tests.admin import logged_in
from tests.factories import make_user

pytestmark = pytest.mark.django_db


TEXTS = [["Practice", "Summary", "Theme", "Page"], ["Concept", "Source", "Study"]]


def sections(client) -> list[list[str]]:
    return [[model["object_name"] for model in app["models"]] for app in client.get("/admin/").context["app_list"]]


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ("redacteur", [*TEXTS, ["SearchMiss"], ["RatingRule"], ["AuditEvent"]]),
        ("eindredacteur", [*TEXTS, ["SearchMiss"], ["RatingRule"], ["AuditEvent"]]),
        (
            "beheerder",
            [
                *TEXTS,
                ["SearchMiss"],
                ["Commission", "Membership", "Criterion", "ReadabilityNorm", "RatingRule"],
                ["User", "Group"],
                ["AuditEvent", "OutboxMessage"],
            ],
        ),
        ("voorzitter", [*TEXTS, ["RatingRule"]]),
        ("lid", [*TEXTS, ["RatingRule"]]),
    ],
)
def test_the_index_shows_each_role_its_sections(role, shown):
    assert sections(logged_in(role)) == shown


def test_models_without_a_section_follow_for_a_superuser():
    client = Client()
    client.force_login(make_user("baas", is_staff=True, is_superuser=True))

    found = [name for section in sections(client) for name in section]

    assert found[:17] == [
        "Practice", "Summary", "Theme", "Page", "Concept", "Source", "Study", "SearchMiss", "Commission", "Membership",
        "Criterion", "ReadabilityNorm", "RatingRule", "User", "Group", "AuditEvent", "OutboxMessage",
    ]  # fmt: skip
    assert len(found) == len(set(found))
    assert "AccessAttempt" in found


def test_an_app_has_a_page_of_its_own():
    response = logged_in("redacteur").get("/admin/practices/")

    assert [model["object_name"] for app in response.context["app_list"] for model in app["models"]] == [
        "Practice",
        "RatingRule",
    ]


def test_there_is_one_login_page():
    response = Client().get("/admin/login/?next=/admin/practices/practice/")

    assert response.url == "/aanmelden/?next=/admin/practices/practice/"
    assert Client().get("/admin/login/").url == "/aanmelden/?next=/admin/"


def test_an_account_that_is_no_staff_is_refused_and_not_sent_round_in_circles():
    client = Client()
    client.force_login(make_user("lezer"))

    assert client.get("/admin/", follow=True).status_code == 403


def test_the_pages_have_no_inline_script_or_style():
    client = logged_in("beheerder")
    for path in ("/admin/", "/admin/knowledgebase/source/add/", "/admin/knowledgebase/user/add/"):
        content = client.get(path).content.decode()
        assert "style=" not in content
        assert "<style" not in content
        assert "onclick" not in content
        assert all("src=" in tag.partition(">")[0] for tag in content.split("<script")[1:])


def test_it_is_our_own_site():
    assert type(admin.site._wrapped if hasattr(admin.site, "_wrapped") else admin.site).__module__ == "leerpunt.admin"
    assert str(admin.site.site_header) == "Leerpunt"
