import pytest
from django.urls import reverse
from django.utils.translation import gettext as _

from knowledgebase.editorial.findings import Rule, findings
from knowledgebase.editorial.norms import DEFAULTS, prose, readability_of, readability_of_public, sync_norms
from knowledgebase.models import ReadabilityNorm, ReviewRound
from practices.models import PracticeVersion
from tests.admin import admin_url, change_url, form_data, logged_in
from tests.factories import chair, make_practice, make_term

pytestmark = pytest.mark.django_db
LONG = "- " + " ".join(["kat"] * 40) + "."


def test_every_part_of_every_kind_has_the_norm_of_the_plain_language_page():
    rows = ReadabilityNorm.objects.values_list("kind", "part", *DEFAULTS["short"])
    assert sorted(rows) == sorted(
        (kind, part, *values)
        for kind in ("practice", "summary", "theme", "page")
        for part, values in (("short", (60, 12, 10, 35)), ("body", (45, 15, 10, 35)))
    )


def test_a_norm_that_was_set_stays():
    ReadabilityNorm.objects.filter(kind="practice", part="short").update(douma=70)
    ReadabilityNorm.objects.filter(kind="page").delete()

    sync_norms()

    assert ReadabilityNorm.objects.get(kind="practice", part="short").douma == 70
    assert ReadabilityNorm.objects.count() == 8


def test_prose_has_a_block_for_each_item_and_leaves_tables_and_citations_out():
    html = (
        '<p>Eén &amp; twee <a href="#bron-a" class="cite">(Jansen, 2020)</a>.</p><ul><li>drie</li><li>vier</li></ul>'
        '<div class="table-scroll" role="region"><table><tr><td>weg</td></tr></table></div>'
    )

    assert [block for block in prose(html).split("\n") if block] == ["Eén & twee.", "drie", "vier"]


def test_a_text_above_the_norm_says_how_and_where():
    make_term("werkgeheugen")
    version = make_practice(state="draft", in_short=f"{LONG}\n- Het curriculum en het werkgeheugen.", when_not="Nooit.")

    report = readability_of(version)

    short, body = report.parts
    assert (short.name, body.name, body.over) == ("short", "body", ())
    told = " ".join(short.over)
    assert _("Jargon that the glossary does not explain: %(words)s.") % {"words": "curriculum"} in told
    assert "kat kat" in told
    assert [score.name for score in report.fields] == ["lead", "in_short", "when_not"]
    found = [(finding.field, finding.blocking) for finding in findings(version) if finding.rule == Rule.READABILITY]
    assert found == [("lead", False)] * len(short.over)


def submit(client, version, **data):
    url = admin_url(PracticeVersion, "submit", version.pk)
    page = client.get(url)
    assert page.context["blocked"] is False if page.context.get("findings") else True
    return client.post(url, {"lock_version": version.lock_version, "remark": "Klaar.", **data})


def test_submitting_above_the_norm_needs_a_reason_that_the_commissions_read():
    for code in ("user", "scientific"):
        chair(code)
    version = make_practice(state="draft", in_short=f"{LONG} [@jansen-2020]")
    client = logged_in("redacteur")

    refused = submit(client, version)
    assert (refused.status_code, list(refused.context["form"].errors)) == (200, ["readability_reason"])
    assert not ReviewRound.objects.exists()
    assert submit(client, version, readability_reason="Het is een opsomming.").status_code == 302

    remark = ReviewRound.objects.get().remark
    assert remark == "Klaar.\n\n" + _("Above the norm for readability, because: %(reason)s") % {
        "reason": "Het is een opsomming."
    }


def test_a_text_within_the_norm_is_asked_nothing():
    page = logged_in("redacteur").get(admin_url(PracticeVersion, "submit", make_practice(state="draft").pk))

    assert "readability_reason" not in page.context["form"].fields


def test_the_list_begins_with_what_is_above_the_norm_and_costs_the_same_for_many(django_assert_num_queries):
    easy, hard = make_practice("makkelijk"), make_practice("moeilijk", in_short=LONG)
    assert [facts["title"] for facts, _report in readability_of_public()] == [hard.title, easy.title]

    with django_assert_num_queries(2):  # the norms and the content version
        readability_of_public()


def test_the_desk_shows_the_list_to_who_has_business_there(client):
    make_practice("makkelijk")
    client.force_login(chair("user").user)

    page = client.get(reverse("desk-readability"))

    assert page.status_code == 200
    assert "Makkelijk" in page.content.decode()
    assert client.post(reverse("desk-readability")).status_code == 405
    client.logout()
    assert client.get(reverse("desk-readability")).status_code == 302


@pytest.mark.parametrize(
    ("role", "code", "may"),
    [
        ("beheerder", "", True), ("voorzitter", "user", True), ("voorzitter", "scientific", False),
        ("eindredacteur", "", False), ("lid", "", False),
    ],
)  # fmt: skip
def test_the_administrator_and_the_chair_of_the_users_set_a_norm(role, code, may):
    norm = ReadabilityNorm.objects.get(kind="practice", part="short")
    client = logged_in(role)
    if code:
        seat = chair(code)
        seat.user.is_staff = True
        seat.user.save()
        client.force_login(seat.user)

    page = client.get(change_url(norm))

    assert page.status_code == (200 if may else 403)
    if may:
        assert client.post(change_url(norm), form_data(page, douma="65")).status_code == 302
        assert client.post(change_url(norm), form_data(page, douma="999")).status_code == 200
        norm.refresh_from_db()
        assert norm.douma == 65
