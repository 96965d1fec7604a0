import polib
import pytest

from leerpunt.catalogues import ConflictingPlurals, Message, in_python, in_template, messages, problems, updated

PYTHON = """
from django.utils.translation import gettext as _, ngettext, pgettext_lazy
title = _("A title" " in parts")
once = {"a": translation.gettext_noop("Read later")}
ngettext("%(count)s study", "%(count)s studies", count)
pgettext_lazy("of a month", "May")
npgettext("school", "class", "classes", 2)
_(variable), _(), _(1), _(""), other("Not this"), print("nor this")
"""
TEMPLATE = """
{% load i18n %}"quoted" it's {# _("no") #}
<h1>{% translate "What works" %}</h1>{% translate 'For 50%' as words %}
{% blocktranslate trimmed with name=user.name count counter=list|length %}
  One study of {{ name }}
{% plural %}
  {{ counter }} studies of {{ name }}
{% endblocktranslate %}
{% include "x.html" with label=_("Main menu") other=_('Side menu') %}
{{ value|default:_("nothing") }} {{ _("alone") }}
{% blocktranslate context "verb" %}Search{% endblocktranslate %}
{% comment %}{% translate "Not this" %}{% endcomment %}
"""


def listed(found):
    return [(message.context, message.text, message.plural) for message in found]


def test_messages_in_python():
    assert sorted(listed(in_python(PYTHON)), key=str) == [
        ("of a month", "May", ""),
        ("school", "class", "classes"),
        (None, "%(count)s study", "%(count)s studies"),
        (None, "A title in parts", ""),
        (None, "Read later", ""),
    ]


def test_messages_in_templates():
    assert listed(in_template(TEMPLATE)) == [
        (None, "What works", ""),
        (None, "For 50%%", ""),
        (None, "One study of %(name)s", "%(counter)s studies of %(name)s"),
        (None, "Main menu", ""),
        (None, "Side menu", ""),
        (None, "nothing", ""),
        (None, "alone", ""),
        ("verb", "Search", ""),
    ]


@pytest.fixture
def project(tmp_path):
    for folder in ("leerpunt/migrations", "knowledgebase", "practices", "templates/leerpunt"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "leerpunt/views.py").write_text('_("Title"); ngettext("a page", "pages", n)')
    (tmp_path / "leerpunt/migrations/0001.py").write_text('_("Old")')
    (tmp_path / "knowledgebase/views.py").write_text('_("Title"); _("a page")')
    (tmp_path / "templates/leerpunt/home.html").write_text('{% load i18n %}{% translate "Title" %}')
    return tmp_path


def test_messages_of_a_project_with_the_files_that_use_them(project):
    assert list(messages(project).values()) == [
        Message(None, "Title", "", ["knowledgebase/views.py", "leerpunt/views.py", "templates/leerpunt/home.html"]),
        Message(None, "a page", "pages", ["knowledgebase/views.py", "leerpunt/views.py"]),
    ]


def test_two_plurals_of_one_message_are_refused(project):
    (project / "practices/views.py").write_text('ngettext("a page", "many pages", n)')
    with pytest.raises(ConflictingPlurals, match="“pages”, “many pages”"):
        messages(project)


def catalogue(*entries):
    file = polib.POFile()
    file.extend(entries)
    return file


def found(*texts):
    return {(None, text): Message(None, text, "", ["leerpunt/views.py"]) for text in texts}


def test_update_keeps_translations_and_remembers_what_went():
    old = catalogue(
        polib.POEntry(msgid="Title", msgstr="Titel"),
        polib.POEntry(msgid="Gone", msgstr="Weg"),
        polib.POEntry(msgid="Never translated"),
        polib.POEntry(msgid="Back", msgstr="Terug", obsolete=True),
    )
    new = updated(old, found("Title", "Back", "New"), "nl")
    assert [(entry.msgid, entry.msgstr, entry.obsolete) for entry in new] == [
        ("Title", "Titel", False),
        ("Back", "Terug", False),
        ("New", "", False),
        ("Gone", "Weg", True),
    ]
    assert new[0].occurrences == [("leerpunt/views.py", "")]
    assert new.metadata["Language"] == "nl"


def test_update_follows_a_message_that_gets_or_loses_its_plural():
    plural = {(None, "a page"): Message(None, "a page", "pages")}
    one = updated(catalogue(polib.POEntry(msgid="a page", msgstr="een pagina")), plural, "nl")[0]
    assert (one.msgid_plural, one.msgstr, one.msgstr_plural) == ("pages", "", {0: "", 1: ""})
    many = polib.POEntry(msgid="a page", msgid_plural="pages", msgstr_plural={0: "een pagina", 1: "pagina's"})
    one = updated(catalogue(many), found("a page"), "nl")[0]
    assert (one.msgid_plural, one.msgstr, one.msgstr_plural) == ("", "een pagina", {})


def test_a_complete_catalogue_has_no_problems():
    entries = (polib.POEntry(msgid="%(count)s of {name}", msgstr="{name}: %(count)s"),)
    assert problems(catalogue(*entries), found("%(count)s of {name}")) == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (polib.POEntry(msgid="Title"), "Not translated: “Title”."),
        (polib.POEntry(msgid="Title", msgstr="Titel", flags=["fuzzy"]), "Not translated: “Title”."),
        (polib.POEntry(msgid="Title", msgstr="Titel", obsolete=True), "Not in the catalogue: “Title”."),
        (polib.POEntry(msgid="Title", msgstr="%(x)s"), "Other placeholders than “Title”: “%(x)s”."),
    ],
)
def test_problems(entry, problem):
    assert problems(catalogue(entry), found("Title")) == [problem]


def test_unused_messages_and_half_translated_plurals_are_problems():
    assert problems(catalogue(polib.POEntry(msgid="Old", msgstr="Oud")), {}) == ["No longer used: “Old”."]
    half = polib.POEntry(msgid="%(n)s a", msgid_plural="%(n)s as", msgstr_plural={0: "een a", 1: ""})
    assert problems(catalogue(half), found("%(n)s a")) == ["Not translated: “%(n)s a”."]
    half.msgstr_plural = {0: "een a", 1: "%(n)s a's"}
    assert problems(catalogue(half), found("%(n)s a")) == []
