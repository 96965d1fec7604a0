import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from knowledgebase.models import User
from leerpunt.accounts import DEMO_PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("demo", "opens"), [(True, True), (False, False)])
def test_the_demo_password_opens_the_demonstration_only(settings, demo, opens):
    settings.DEMO = demo
    user = User.objects.create_user("redacteur", password=DEMO_PASSWORD)

    found = authenticate(RequestFactory().post("/"), username="redacteur", password=DEMO_PASSWORD)

    assert found == (user if opens else None)


def test_another_password_works_everywhere(settings):
    settings.DEMO = False
    user = User.objects.create_user("redacteur", password="een lang wachtwoord")

    assert authenticate(RequestFactory().post("/"), username="redacteur", password="een lang wachtwoord") == user
