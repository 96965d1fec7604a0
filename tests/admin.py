"""How a test works in the admin: somebody with a role, and a form sent back as the browser would."""

import re
from collections.abc import Iterable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_user

ROLES = ("redacteur", "eindredacteur", "beheerder", "voorzitter", "lid")


def logged_in(role: str, **fields) -> Client:
    """A browser in which somebody with this role is logged in; `client.user` says who."""
    client = Client()
    client.user = make_user(role=role, **fields)
    client.force_login(client.user)
    return client


def admin_url(model, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def change_url(obj) -> str:
    return admin_url(type(obj), "change", obj.pk)


def form_data(response, **changes) -> dict[str, str]:
    """What the admin form of a page would post unchanged, with changes; names of inline rows as Django names them."""
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for bound in (bound for form in forms for bound in form):
        value, widget = bound.value(), bound.field.widget
        if isinstance(value, bool):
            value = "on" if value else None
        elif isinstance(value, Iterable) and not isinstance(value, str):
            value = [str(choice) for choice in value]
        elif value is not None:
            value = widget.format_value(value)
        data[bound.html_name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return {name: value for name, value in (data | changes).items() if value not in (None, [])}


class Seen:
    """A page of the admin: its HTML, and its words with single blanks."""

    def __init__(self, response) -> None:
        self.html = response.content.decode()
        self.text = " ".join(unescape(re.sub(r"<[^>]*>", " ", self.html)).split())


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


each_role = pytest.mark.parametrize("role", ROLES)
