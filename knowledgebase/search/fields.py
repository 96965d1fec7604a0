"""Form fields for a reader's query string: what they do not know is dropped and remembered, never refused."""

from typing import Any

from django import forms


class KindlyMixin:
    """A form field that drops what it does not know, and remembers it instead of refusing the form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.dropped: list[str] = []
        super().__init__(*args, **kwargs | {"required": False})


class KindMultipleField(KindlyMixin, forms.MultipleChoiceField):
    def clean(self, value: Any) -> list[str]:
        known = {str(key) for key, _label in self.widget.choices}
        chosen = [text for text in dict.fromkeys(value or ()) if text]
        self.dropped = [text for text in chosen if text not in known]
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
        self.dropped = [value]
        return None


class KindChoiceField(KindlyMixin, forms.ChoiceField):
    def clean(self, value: Any) -> str:
        known = [str(key) for key, _label in self.widget.choices]
        if value and value not in known:
            self.dropped = [value]
        return value if value in known else known[0]


def page_number(text: str, pages: int) -> int | None:
    """The page that a reader asks for, 1 when nothing was asked, None when it does not exist."""
    if not text:
        return 1
    if text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= pages:
        return int(text)
    return None
