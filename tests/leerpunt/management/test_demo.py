import pytest
from django.core.management import CommandError, call_command

from knowledgebase.models import Item, RenderedText, User, Version
from practices.models import FacetIndex

pytestmark = pytest.mark.django_db


def test_it_is_refused_outside_the_demonstration():
    with pytest.raises(CommandError, match="make demo"):
        call_command("demo", "--no-serve")


def test_a_second_start_keeps_what_was_edited(settings, tmp_path, capsys):
    settings.DEMO, settings.STATIC_ROOT = True, tmp_path
    call_command("demo", "--no-serve", "--port=8123")

    assert "http://127.0.0.1:8123/aanmelden/" in capsys.readouterr().out
    assert Item.objects.published().filter(kind="practice").count() == 12
    assert not Version.objects.published().filter(is_demo=False).exists()
    editor = User.objects.get(username="redacteur")
    assert [group.name for group in editor.groups.all()] == ["redacteur"]
    editor.set_password("een ander wachtwoord")
    editor.save()
    Item.objects.filter(key="homework").update(slug="taken-voor-thuis")

    call_command("demo", "--no-serve")

    assert Item.objects.get(key="homework").slug == "taken-voor-thuis"
    assert User.objects.get(username="redacteur").check_password("een ander wachtwoord")
    assert User.objects.count() == 9

    RenderedText.objects.all().delete()
    FacetIndex.objects.all().delete()
    call_command("render_texts")
    call_command("rebuild_facets")
    assert RenderedText.objects.filter(version__item__key="homework", field="in_short").exists()
    assert FacetIndex.objects.filter(name="niveau:lager").exists()
