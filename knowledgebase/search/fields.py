"""Form fields for a reader's query string: what they do not know is dropped and remembered, never refused."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from . import words_of
from .understanding import LONGEST_QUERY


class KindlyMixin:
    """A form field that drops what it does not know, and remembers it instead of refusing the form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.dropped: list[str] = []
        super().__init__(*args, **kwargs | {"required": False})


class KindMultipleField(KindlyMixin, forms.MultipleChoiceField):
    def clean(self, value: Any) -> list[str]:
        known = {str(key) for key, _label in self.widget.choices}
        chosen = [text for text in dict.fromkeys(value or ()) if text]
        self.dropped = [seen(text) for text in chosen if text not in known]
        return [text for text in chosen if text in known]


class KindNumberField(KindlyMixin, forms.Field):
    def __init__(self, *, lowest: int, highest: int, **kwargs: Any) -> None:
        self.lowest, self.highest = lowest, highest
        super().__init__(**kwargs)

    def clean(self, value: Any) -> int | None:
        self.dropped = []
        if not value:
            return None
        digits = value.strip().removeprefix("-")
        if len(digits) <= 3 and digits.isascii() and digits.isdigit() and self.lowest <= int(value) <= self.highest:
            return int(value)
        self.dropped = [seen(value)]
        return None


class KindChoiceField(KindlyMixin, forms.ChoiceField):
    def clean(self, value: Any) -> str:
        known = [str(key) for key, _label in self.widget.choices]
        if value and value not in known:
            self.dropped = [seen(value)]
        return value if value in known else known[0]


class KindTextField(KindlyMixin, forms.Field):
    """Words to search for; `notices` say what of them was left out."""

    def clean(self, value: Any) -> str:
        query, self.notices = read_query(value or "")
        return query


def notices_of(form: forms.BaseForm) -> list[str]:
    """What of the query string was left out, as sentences."""
    sentences = []
    for name, field in form.fields.items():
        for value in getattr(field, "dropped", ()):
            shown = value if len(value) <= 40 else f"{value[:40]}…"
            sentences.append(
                _("We do not know “%(value)s” in “%(name)s”, so we left it out.") % {"value": shown, "name": name}
            )
        sentences += getattr(field, "notices", ())
    return sentences


def seen(text: str) -> str:
    """The text as it can be printed: control characters and the like become blanks."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def read_query(text: str) -> tuple[str, list[str]]:
    """What a reader searches for, with notices about what of it is left out."""
    whole = seen(text)
    query = whole[:LONGEST_QUERY]
    if text.strip() and not words_of(query):
        return query, [_("Your search holds no word of two letters or more, so we left it out.")]
    if len(whole) > LONGEST_QUERY:
        notice = _("Your search is longer than %(limit)s characters. We used the first %(limit)s.")
        return query, [notice % {"limit": LONGEST_QUERY}]
    return query, []


def page_number(text: str, pages: int) -> int | None:
    """The page that a reader asks for, 1 when nothing was asked, None when it does not exist."""
    if not text:
        return 1
    if text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= pages:
        return int(text)
    return None
