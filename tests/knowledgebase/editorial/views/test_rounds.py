import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from knowledgebase.editorial import guards, reviews
from knowledgebase.editorial.transitions import publish
from knowledgebase.models import (
    Comment,
    CriterionAnswer,
    Decision,
    Membership,
    Recusal,
    Review,
    Version,
    VersionContributor,
)
from tests.admin import messages_of
from tests.desk import advise, at_desk, data, deed, page_of, review_data
from tests.factories import (
    approve,
    chair,
    commission,
    decision,
    in_review,
    make_member,
    make_page,
    make_practice,
    make_source,
    make_summary,
    make_theme,
    make_user,
    make_version,
    rating,
)
from tests.pages import Page

pytestmark = pytest.mark.django_db
DEEDS = ("review", "recuse", "comment", "decide", "confirm", "close")
NO_SEAT = "Je hebt nu geen zitje in de gebruikerscommissie. Leden van de ene commissie handelen nooit voor de andere."


def under_review(slug="feedback", **fields):
    return in_review(make_practice(slug, state="draft", **fields))


def next_round(version, **changes):
    """The round after the one that ended in a request for changes."""
    before = version.rounds.get(closed_at=None)
    before.closed_at, before.outcome = before.opened_at, "changes"
    before.save()
    version.state = "changes_requested"
    version.save()
    for name, value in changes.items():
        setattr(version, name, value)
    version.save()
    return in_review(version)


def errors(page):
    return [text for box in page.all("div", "desk-errors") for text in box.texts("p")]


def post(user, name, round, typed):
    return at_desk(user).post(deed(name, round), typed)


# -- the page


@pytest.mark.parametrize("make", [make_practice, make_summary, make_theme, make_page])
def test_the_text_is_what_readers_will_see(make):
    version = make("tekst", state="draft")
    seat = make_member()
    round = in_review(version)
    html = at_desk(seat.user).get(page_of(round)).content.decode()
    shown = Page(at_desk(seat.user).get(page_of(round))).one("div", "desk-page").text
    assert "Jouw deel" in html
    publish(approve(version), by=make_user(role="eindredacteur"))
    public = Page(Client().get(version.item.get_absolute_url()))

    missing = [heading for heading in public.headings if heading not in shown and heading != version.title]
    assert missing == ["Goedkeuring en versies"]  # which there is not before


def test_figures_tokens_and_citations_are_filled_in():
    round = under_review(
        ratings=[rating("0.48")],
        in_short="Je leerlingen winnen {{ winst }} [@jansen-2020].",
        sources=[make_source("jansen-2020")],
    )

    text = Page(at_desk(make_member().user).get(page_of(round))).one("div", "desk-page")

    assert "{{" not in text.text
    assert text.one("a", "cite")["href"] == "#bron-jansen-2020"
    assert text.all("section", id="kerncijfers")


def test_the_page_has_one_title_and_is_for_nobody_else():
    response = at_desk(make_member().user).get(page_of(under_review(title="Feedback geven")))

    page = Page(response)
    assert page.texts("h1") == ["Feedback geven"]
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_a_round_that_is_not_there_is_not_found():
    client = at_desk(make_member().user)

    assert client.get("/redactie/ronde/99/").status_code == 404
    assert client.post("/redactie/ronde/99/beoordelen/", {"commission": "user"}).status_code == 404


def test_an_account_without_a_seat_or_role_sees_no_round():
    response = at_desk(make_user("niemand")).get(page_of(under_review()))

    assert response.status_code == 403
    assert "Feedback" not in response.content.decode()


def test_the_first_round_of_a_first_version_is_all_new():
    page = Page(at_desk(make_member().user).get(page_of(under_review())))

    assert "Dit is de eerste versie en de eerste ronde: alles is nieuw." in page.texts("p")


def test_differences_since_the_public_version_and_since_the_last_decision():
    public = make_practice("feedback", steps="Begin met een doel.")
    version = make_version(public.item, steps="Begin met een duidelijk doel.")
    first = in_review(version)
    decision(first, "user", outcome="changes")
    round = next_round(version, pitfalls="Niet te veel ineens.")

    page = Page(at_desk(make_member().user).get(page_of(round)))

    folds = [fold for fold in page.all("details") if fold.all("ul", "differences")]
    assert [fold.one("summary").text for fold in folds] == [
        "Sinds de gepubliceerde versie 1",
        "Sinds het laatste besluit van de gebruikerscommissie, in ronde 1",
    ]
    assert folds[0].texts("h3")[:2] == ["Stappen", "Valkuilen"]
    assert folds[1].texts("h3") == ["Valkuilen"]
    other = Page(at_desk(make_member("scientific").user).get(page_of(round)))
    assert [text for text in other.texts("summary") if text.startswith("Sinds")] == ["Sinds de gepubliceerde versie 1"]


def test_a_closed_round_keeps_what_it_was_about():
    version = make_practice("feedback", state="draft", title="Oude titel", steps="Begin **zo**.")
    first = in_review(version)
    decision(first, "user", outcome="changes", rationale="Leg dit beter uit.")
    round = next_round(version, title="Nieuwe titel", steps="Begin anders.")

    page = Page(at_desk(make_member().user).get(page_of(first)))

    assert page.texts("h1") == ["Oude titel"]
    assert page.one("div", "desk-page").texts("strong") == ["zo"]
    assert page.href("Ronde 2 is nu open.") == page_of(round)
    assert page.all("form") == []
    assert "Leg dit beter uit." in page.texts("p")


def test_a_text_that_is_too_much_to_render_says_so():
    round = under_review()
    with guards.door("a text that Markdown cannot take"):
        Version.objects.filter(pk=round.version_id).update(title="x")
        type(round.version.specific()).objects.filter(pk=round.version_id).update(steps="[" * 101)

    page = Page(at_desk(make_member().user).get(page_of(round)))

    assert "Er staan meer dan 100" in page.one("p", "caution").text


@pytest.mark.parametrize("role", ["redacteur", "eindredacteur", "beheerder", "lid"])
def test_who_has_no_seat_reads_only(role):
    seat, chair_seat = make_member(), chair()
    round = under_review()
    advise(round, seat, "changes", body="Geheim tot het einde.")
    user = make_user(role=role)

    page = Page(at_desk(user).get(page_of(round)))

    assert page.all("form") == []
    assert "Geheim tot het einde." not in page.html
    for name in DEEDS:
        typed = review_data(seat, round, reason="x", body="x", outcome="approve", rationale="x")
        response = post(user, name, round, typed)
        assert (response.status_code, errors(Page(response, status=403))[1:2]) == (403, [NO_SEAT])
    assert (Review.objects.count(), Decision.objects.count(), Comment.objects.count()) == (1, 0, 0)
    assert chair_seat.is_leading


def test_editors_get_all_reviews_when_the_round_is_over():
    seat = make_member()
    version = make_practice(state="draft")
    first = in_review(version)
    advise(first, seat, "changes", body="Dit moet anders.")
    next_round(version, steps="Anders.")

    page = Page(at_desk(make_user(role="redacteur")).get(page_of(first)))

    assert "Dit moet anders." in page.texts("p")
    assert "Dit moet anders." not in Page(at_desk(make_user(role="beheerder")).get(page_of(first))).html


def test_reviews_of_colleagues_after_ones_own():
    first, second, other = make_member(), make_member(), make_member("scientific")
    round = under_review()
    advise(round, first, "changes", body="Te moeilijk.")

    assert "Te moeilijk." not in Page(at_desk(second.user).get(page_of(round))).html
    advise(round, second)
    assert "Te moeilijk." in Page(at_desk(second.user).get(page_of(round))).texts("p")
    advise(round, other)
    assert "Te moeilijk." not in Page(at_desk(other.user).get(page_of(round))).html


def test_more_reviews_and_comments_ask_no_more_queries():
    seats = [make_member() for _ in range(4)]
    round = under_review()
    client = at_desk(seats[0].user)

    def add(seat):
        advise(round, seat, "changes")
        for field in ("steps", "in_short"):
            reviews.comment(round, commission=commission(), by=seat.user, field=field, body="Anders.")

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert client.get(page_of(round)).status_code == 200
        return len(found)

    add(seats[0])
    add(seats[1])
    queries()  # what is kept for a while, such as the glossary, is read here
    few = queries()
    add(seats[2])
    add(seats[3])
    assert queries() == few


# -- the same questions for every deed


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_is_a_post_of_somebody_logged_in_with_the_token(name):
    seat = make_member()
    round = under_review()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(seat.user)

    assert at_desk(seat.user).get(deed(name, round)).status_code == 405
    assert Client().post(deed(name, round)).url.startswith("/aanmelden/")
    assert strict.post(deed(name, round), data(seat, round)).status_code == 403
    assert at_desk(make_user("niemand")).post(deed(name, round), data(seat, round)).status_code == 403
    assert at_desk(seat.user).post(deed(name, round), {"commission": "elders"}).status_code == 404
    assert at_desk(seat.user).post(deed(name, round)).status_code == 404


@pytest.mark.parametrize("name", DEEDS)
def test_members_never_act_for_the_other_commission(name):
    own, other = chair("scientific"), chair("user")
    round = under_review()
    typed = review_data(other, round, reason="x", body="Mijn tekst.", outcome="approve", rationale="x")

    response = post(own.user, name, round, typed)

    page = Page(response, status=403)
    assert errors(page)[1] == NO_SEAT
    assert (Review.objects.count(), Recusal.objects.count(), Decision.objects.count()) == (0, 0, 0)
    if name in {"review", "comment"}:
        assert "Mijn tekst." in page.one("section", "desk-refused").texts("dd")


@pytest.mark.parametrize("name", ["review", "comment", "decide"])
def test_contributors_read_why_instead_of_a_form(name):
    seat = chair()
    round = under_review()
    VersionContributor.objects.create(version_id=round.version_id, user=seat.user)
    why = "Je schreef mee aan deze tekst. Wie aan een tekst meeschrijft, beoordeelt hem nooit."

    page = Page(at_desk(seat.user).get(page_of(round)))
    assert why in page.texts("p", "notices")
    assert page.all("form") == []

    typed = review_data(seat, round, body="Mijn tekst.", outcome="approve", rationale="Mijn tekst.")
    refused = Page(post(seat.user, name, round, typed), status=403)
    assert why in errors(refused)
    assert "Mijn tekst." in refused.one("section", "desk-refused").texts("dd")


@pytest.mark.parametrize("name", ["review", "recuse", "comment", "decide"])
def test_a_closed_round_refuses_and_gives_back_what_was_typed(name):
    seat = chair()
    version = make_practice(state="draft")
    first = in_review(version)
    typed = review_data(seat, first, reason="Mijn tekst.", body="Mijn tekst.", outcome="approve",
                        rationale="Mijn tekst.")  # fmt: skip
    next_round(version, steps="Anders.")

    page = Page(post(seat.user, name, first, typed), status=422)

    assert errors(page)[1] == "Ronde 1 is afgesloten. Kijk op de werktafel wat er nu van je gevraagd wordt."
    assert "Mijn tekst." in page.one("section", "desk-refused").texts("dd")


@pytest.mark.parametrize("name", ["review", "decide"])
def test_a_form_about_another_text_is_refused(name):
    leader, first, second = chair(), make_member(), make_member()
    round = under_review()
    advise(round, first)
    advise(round, second)
    typed = review_data(leader, round, seen="0" * 64, outcome="approve", rationale="Mijn tekst.", body="Mijn tekst.")

    page = Page(post(leader.user, name, round, typed), status=422)

    assert errors(page)[1] == "De tekst veranderde sinds je hem opende. Lees hem opnieuw voor je oordeelt."
    assert "Mijn tekst." in page.texts("textarea")


# -- reviews


def test_a_review_is_recorded_with_its_answers():
    seat = make_member()
    round = under_review()
    criteria = list(seat.commission.criteria.all())
    typed = review_data(seat, round, recommendation="changes", body="Korter graag.", interest="declared",
                        interest_text="Ik gaf hierover les.")  # fmt: skip
    typed |= {f"criterion-{criteria[0].pk}": "no", f"criterion-{criteria[0].pk}-comment": "De tabel niet."}

    response = at_desk(seat.user).post(deed("review", round), typed, follow=True)

    assert response.redirect_chain == [(page_of(round), 302)]
    assert messages_of(response) == ["Dank je: je beoordeling is vastgelegd."]
    review = Review.objects.get()
    assert (review.membership, review.recommendation, review.body, review.interest_text) == (
        seat, "changes", "Korter graag.", "Ik gaf hierover les.",
    )  # fmt: skip
    answers = CriterionAnswer.objects.filter(review=review).values_list("criterion_text", "value", "comment")
    assert list(answers) == [
        (criterion.text, "no" if number == 0 else "yes", "De tabel niet." if number == 0 else "")
        for number, criterion in enumerate(criteria)
    ]
    page = Page(response)
    assert page.all("form", id="review-user") == []
    assert "Je beoordeling: wijzigingen vragen" in page.texts("h4")


def test_a_criterion_is_asked_with_its_help():
    seat = make_member("scientific")

    form = Page(at_desk(seat.user).get(page_of(under_review()))).one("form", id="review-scientific")

    asked = [legend.text for legend in form.all("legend")]
    assert asked[: seat.commission.criteria.count()] == [criterion.text for criterion in seat.commission.criteria.all()]
    first = seat.commission.criteria.first()
    box = form.all("fieldset")[0]
    note = box.one("p", "note")
    assert note.text == first.help
    assert note["id"] in box["aria-describedby"]


def test_an_incomplete_review_says_what_is_missing_and_keeps_the_rest():
    seat = make_member()
    round = under_review()
    first, *_others = seat.commission.criteria.all()
    typed = review_data(seat, round, recommendation="", body="Een <b>lange</b> uitleg.")
    del typed[f"criterion-{first.pk}"]

    page = Page(post(seat.user, "review", round, typed), status=422)

    form = page.one("form", id="review-user")
    assert [errors.text for errors in form.all("ul", "errorlist")] == [
        "Beantwoord deze vraag. “Niet van toepassing” is ook een antwoord.",
        "Kies een advies.",
    ]
    assert "Een <b>lange</b> uitleg." in form.texts("textarea")
    checked = [box["name"] for box in form.all("input", type="radio") if "checked" in box.attributes]
    assert len(checked) == seat.commission.criteria.count()  # all but one question, and the interest
    assert Review.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"recommendation": "changes"}, "Licht je advies toe, zodat de redactie weet wat ze moet doen."),
        ({"interest": "declared"}, "Zeg welk belang je meldt: lezers zien het bij de goedkeuring."),
    ],
)
def test_a_review_that_the_verb_refuses_stays_in_the_form(typed, why):
    seat = make_member()
    round = under_review()

    page = Page(post(seat.user, "review", round, review_data(seat, round) | typed), status=422)

    assert why in errors(page)
    assert Review.objects.count() == 0


@pytest.mark.parametrize("field", ["recommendation", "interest"])
def test_a_choice_that_is_none_is_refused(field):
    seat = make_member()
    round = under_review()

    assert post(seat.user, "review", round, review_data(seat, round, **{field: "misschien"})).status_code == 422


def test_a_second_press_is_told_and_changes_nothing():
    seat = make_member()
    round = under_review()
    client = at_desk(seat.user)
    client.post(deed("review", round), review_data(seat, round))

    response = client.post(deed("review", round), review_data(seat, round, recommendation="abstain"), follow=True)

    assert response.redirect_chain == [(page_of(round), 302)]
    assert messages_of(response)[-1] == "Je beoordeelde deze ronde al: er veranderde niets."
    assert Review.objects.get().recommendation == "approve"


def test_stepping_back():
    seat = make_member()
    round = under_review()
    client = at_desk(seat.user)

    refused = Page(client.post(deed("recuse", round), data(seat, round, reason=" ")), status=422)
    assert errors(refused)[1] == "Zeg waarom je je terugtrekt. Je commissie en de redactie zien het."
    done = client.post(deed("recuse", round), data(seat, round, reason="Mijn zus schreef dit."), follow=True)
    assert Recusal.objects.get().reason == "Mijn zus schreef dit."
    assert messages_of(done) == ["Je trok je terug uit deze ronde."]
    assert Page(done).all("form") == []
    again = client.post(deed("recuse", round), data(seat, round, reason="Nog eens."), follow=True)
    assert messages_of(again) == ["Je trok je al terug uit deze ronde: er veranderde niets."]
    reviewed = Page(client.post(deed("review", round), review_data(seat, round)), status=403)
    assert errors(reviewed)[1] == "Je trok je terug uit deze ronde, dus je doet er niet meer aan mee."


# -- comments


def test_a_comment_on_a_field_a_row_or_the_whole():
    seat = make_member()
    round = under_review(sources=[make_source("jansen-2020", title="Een studie")])
    client = at_desk(seat.user)
    form = Page(client.get(page_of(round))).one("form", action=deed("comment", round) + "#comment-user")
    options = {option.text: option["value"] for option in form.all("option")}
    row = next(value for words, value in options.items() if "Een studie" in words)

    for anchor in ("in_short", row, ""):
        typed = data(seat, round, anchor=anchor, body=f"Over {anchor[:8]}.", quote="weinig tijd", is_blocking="on")
        assert client.post(deed("comment", round), typed).status_code == 302

    name, uid = row.split(":")
    made = Comment.objects.order_by("pk").values_list("field", "target_uid", "quote", "is_blocking")
    assert [(field, str(target), quote, blocks) for field, target, quote, blocks in made] == [
        ("in_short", "None", "weinig tijd", True), (name, uid, "weinig tijd", True), ("", "None", "weinig tijd", True),
    ]  # fmt: skip
    page = Page(client.get(page_of(round)))
    about = [text for text in page.texts("p", "note") if text.startswith("Over:")]
    assert about[0] == "Over: In het kort"
    assert "Een studie" in about[1]
    assert about[2] == "Over: De tekst als geheel"
    assert page.texts("blockquote") == ["weinig tijd"] * 3


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"anchor": "in_short", "body": " "}, "Schrijf wat je wilt zeggen."),
        ({"anchor": "elders", "body": "Ja."}, "Kies een onderdeel van deze tekst."),
        ({"anchor": "source_links:niet-een-uid", "body": "Ja."}, "Kies een onderdeel van deze tekst."),
    ],
)
def test_a_comment_that_is_refused_stays(typed, why):
    seat = make_member()
    round = under_review()

    page = Page(post(seat.user, "comment", round, data(seat, round, quote="Deze woorden", **typed)), status=422)

    assert why in page.one("form", action=deed("comment", round) + "#comment-user").text
    assert "Deze woorden" in page.texts("textarea")
    assert Comment.objects.count() == 0


def test_a_comment_is_text_and_never_markup():
    seat = make_member()
    round = under_review()
    bad = "<script>alert(1)</script>"
    post(seat.user, "comment", round, data(seat, round, body=bad, quote=bad))

    html = Page(at_desk(seat.user).get(page_of(round))).html

    assert bad not in html
    assert html.count("&lt;script&gt;") >= 2


def test_the_author_or_the_chair_settles_a_comment():
    author, colleague, leader, other = make_member(), make_member(), chair(), chair("scientific")
    round = under_review()

    def make():
        return reviews.comment(round, commission=commission(), by=author.user, field="steps", body="Anders.")

    def settle(seat, comment):
        url = f"/redactie/opmerking/{comment.pk}/afhandelen/"
        return at_desk(seat.user).post(url, {"round": round.pk}, follow=True)

    for seat in (author, leader):
        comment = make()
        assert messages_of(settle(seat, comment)) == ["De opmerking is opgelost."]
        comment.refresh_from_db()
        assert comment.resolved_by == seat.user
        assert messages_of(settle(seat, comment)) == ["Deze opmerking is al opgelost: er veranderde niets."]
    for seat in (colleague, other):
        comment = make()
        assert settle(seat, comment).status_code == 403
        comment.refresh_from_db()
        assert comment.resolved_at is None


def test_settling_goes_back_to_the_round_that_was_read():
    author = make_member()
    version = make_practice(state="draft")
    first = in_review(version)
    comment = reviews.comment(first, commission=commission(), by=author.user, field="steps", body="Anders.")
    round = next_round(version, steps="Zo.")
    elsewhere = under_review("elders")
    client, url = at_desk(author.user), f"/redactie/opmerking/{comment.pk}/afhandelen/"

    assert client.get(url).status_code == 405
    assert client.post("/redactie/opmerking/99/afhandelen/").status_code == 404
    assert client.post(url, {"round": round.pk}).url == page_of(round)
    for other in (elsewhere.pk, "x", "9" * 30, ""):
        assert client.post(url, {"round": other}).url == page_of(first)


# -- decisions


@pytest.fixture
def ready():
    """A round with a quorum in the user commission."""
    chair("user"), chair("scientific")
    round = under_review()
    advise(round, make_member("user", "els"))
    advise(round, make_member("user", "fatih"), "changes", body="Het derde punt is vaag.")
    make_member("user", "gert")
    return round


def test_before_the_quorum_the_chair_reads_who_is_still_to_come():
    leader = chair()
    make_member("user", "gert")
    round = under_review()

    page = Page(at_desk(leader.user).get(page_of(round)))

    assert page.all("form", id="decide-user") == []
    assert "Je beslist als er 2 adviezen zijn; nu zijn er 0. Nog te komen: gert." in page.texts("p")
    typed = data(leader, round, outcome="approve", rationale="Goed.")
    refused = Page(post(leader.user, "decide", round, typed), status=422)
    assert errors(refused)[1] == "Er zijn nog te weinig adviezen: 0 van de 2. Wacht op de andere."
    assert "Goed." in refused.texts("dd")


def test_the_chair_decides_after_the_quorum(ready):
    leader = chair()
    form = Page(at_desk(leader.user).get(page_of(ready))).one("form", id="decide-user")
    assert "Er zijn 2 adviezen; 2 zijn nodig. Nog te komen: gert." in form.texts("p")
    typed = data(leader, ready, outcome="approve", rationale="Helder en bruikbaar.",
                 minority_note="Eén lid vindt punt drie vaag.", interest_text="Ik geef les op een van de scholen.")  # fmt: skip

    response = at_desk(leader.user).post(deed("decide", ready), typed, follow=True)

    assert messages_of(response) == ["Het besluit van je commissie is vastgelegd."]
    made = Decision.objects.get()
    assert (made.outcome, made.rationale, made.minority_note, made.interest_text, made.quorum_reached) == (
        "approve", "Helder en bruikbaar.", "Eén lid vindt punt drie vaag.", "Ik geef les op een van de scholen.", 2,
    )  # fmt: skip
    again = at_desk(leader.user).post(deed("decide", ready), typed | {"outcome": "changes"}, follow=True)
    assert messages_of(again) == [
        "chair-user legde het besluit van de gebruikerscommissie al vast: er veranderde niets."
    ]
    assert Decision.objects.count() == 1


def test_the_chair_reads_the_reviews_before_deciding(ready):
    page = Page(at_desk(chair().user).get(page_of(ready)))

    assert "Het derde punt is vaag." in page.texts("p")


def test_members_do_not_decide(ready):
    seat = Membership.objects.get(user__username="gert")

    page = Page(post(seat.user, "decide", ready, data(seat, ready, outcome="approve", rationale="Ja.")), status=403)

    assert errors(page)[1] == "Alleen de voorzitter of ondervoorzitter van de gebruikerscommissie doet dit."


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"outcome": "", "rationale": "Mijn tekst."}, "Kies of je commissie de tekst goedkeurt."),
        ({"outcome": "x", "rationale": "Mijn tekst."}, "Kies of je commissie de tekst goedkeurt."),
        (
            {"outcome": "approve", "rationale": " ", "minority_note": "Mijn tekst."},
            "Geef de motivering van je commissie: lezers zien ze bij de tekst.",
        ),
    ],
)
def test_a_decision_that_is_refused_stays(ready, typed, why):
    leader = chair()

    page = Page(post(leader.user, "decide", ready, data(leader, ready, **typed)), status=422)

    form = page.one("form", id="decide-user")
    assert why in form.text
    assert "Mijn tekst." in form.texts("textarea")
    assert Decision.objects.count() == 0


def test_blocking_comments_are_settled_first(ready):
    leader = chair()
    reviews.comment(ready, commission=commission(), by=leader.user, field="steps", body="Anders.", is_blocking=True)

    page = Page(post(leader.user, "decide", ready, data(leader, ready, outcome="approve", rationale="Ja.")), status=422)

    assert errors(page)[1] == ("1 opmerkingen moeten opgelost zijn voor je commissie goedkeurt. Handel ze eerst af.")


def test_when_chair_and_deputy_may_not_decide_the_page_says_that_it_waits(ready):
    for seat in (chair(), make_member("user", role="deputy")):
        VersionContributor.objects.create(version_id=ready.version_id, user=seat.user)

    for user in (make_member().user, make_user(role="beheerder"), chair().user):
        text = Page(at_desk(user).get(page_of(ready))).one("ul", "desk-progress").text
        assert "Voorzitter noch ondervoorzitter mag over deze tekst beslissen." in text


def test_the_deputy_decides_when_the_chair_may_not(ready):
    VersionContributor.objects.create(version_id=ready.version_id, user=chair().user)
    deputy = make_member("user", role="deputy")

    response = post(deputy.user, "decide", ready, data(deputy, ready, outcome="approve", rationale="Goed."))

    assert response.status_code == 302
    assert Decision.objects.get().decided_by == deputy.user


def test_the_outcome_of_the_other_commission_is_known_when_the_round_is_over(ready):
    decision(ready, "scientific", outcome="changes", rationale="Noem de tegenspraak.")

    for user in (chair("user").user, make_user(role="redacteur")):
        page = Page(at_desk(user).get(page_of(ready)))
        assert "Noem de tegenspraak." not in page.html
        assert "Wetenschappelijke commissie: heeft beslist." in page.one("ul", "desk-progress").texts("li")
    leader = chair("user")
    post(leader.user, "decide", ready, data(leader, ready, outcome="approve", rationale="Goed."))
    page = Page(at_desk(leader.user).get(page_of(ready)))
    assert "Noem de tegenspraak." in page.texts("p")


def test_confirming_an_earlier_approval_takes_one_press():
    leader = chair()
    version = make_practice("feedback", state="draft")
    first = in_review(version)
    decision(first, "user", rationale="Helder.")
    decision(first, "scientific", outcome="changes")
    sources = version.source_links.get()
    round = next_round(version)
    assert sources is not None

    form = Page(at_desk(leader.user).get(page_of(round))).one("form", id="confirm-user")
    assert form["action"] == deed("confirm", round)
    response = at_desk(leader.user).post(deed("confirm", round), data(leader, round), follow=True)

    assert messages_of(response) == ["De eerdere goedkeuring geldt ook voor deze tekst."]
    assert round.decisions.get().rationale == "Helder."
    assert round.decisions.get().confirms.round == first


def test_where_the_text_changed_there_is_nothing_to_confirm():
    leader = chair()
    version = make_practice("feedback", state="draft")
    decision(in_review(version), "user")
    round = next_round(version, steps="Heel anders.")

    page = Page(at_desk(leader.user).get(page_of(round)))
    assert page.all("form", id="confirm-user") == []
    refused = Page(post(leader.user, "confirm", round, data(leader, round)), status=422)
    assert errors(refused)[1] == (
        "Er is geen eerdere goedkeuring om te bevestigen: de tekst veranderde in jullie gebied."
    )


def test_closing_early(ready):
    leader = chair()
    refused = Page(post(leader.user, "close", ready, data(leader, ready)), status=422)
    assert errors(refused)[1] == (
        "Alleen een commissie die wijzigingen vroeg, sluit de ronde af voor de andere beslist."
    )
    post(leader.user, "decide", ready, data(leader, ready, outcome="changes", rationale="Te vaag."))
    assert Page(at_desk(leader.user).get(page_of(ready))).one("form", action=deed("close", ready))

    response = at_desk(leader.user).post(deed("close", ready), data(leader, ready), follow=True)

    assert messages_of(response) == ["De ronde is afgesloten: de tekst ligt weer bij de redactie."]
    ready.version.refresh_from_db()
    assert ready.version.state == Version.State.CHANGES_REQUESTED


def test_revoking_the_decision_of_ones_own_commission(ready):
    leader, other = chair("user"), chair("scientific")
    made = decision(ready, "user")
    url = f"/redactie/besluit/{made.pk}/herroepen/"

    assert at_desk(leader.user).get(url).status_code == 405
    assert at_desk(leader.user).post("/redactie/besluit/99/herroepen/").status_code == 404
    assert at_desk(other.user).post(url, {"reason": "Ik wil dit."}).status_code == 403
    refused = Page(at_desk(leader.user).post(url, {"reason": ""}), status=422)
    assert errors(refused)[1] == "Zeg waarom het besluit herroepen wordt."
    done = at_desk(leader.user).post(url, {"reason": "Er is nieuw onderzoek."}, follow=True)
    assert messages_of(done) == ["Het besluit is herroepen."]
    assert "Er is nieuw onderzoek." in Page(done).one("article", "desk-decision").text
    again = at_desk(leader.user).post(url, {"reason": "Nog eens."}, follow=True)
    assert messages_of(again) == ["Dit besluit is al herroepen: er veranderde niets."]
    made.refresh_from_db()
    assert made.revoked_reason == "Er is nieuw onderzoek."


def test_an_approved_text_is_given_back_by_revoking():
    version = make_practice("feedback", state="approved")
    round = version.rounds.get()
    leader = chair("scientific")
    page = Page(at_desk(leader.user).get(page_of(round)))
    [form] = [form for form in page.all("form") if "/herroepen/" in form["action"]]

    response = at_desk(leader.user).post(form["action"], {"reason": "De studie is ingetrokken."})

    assert response.url == page_of(round)
    version.refresh_from_db()
    assert version.state == Version.State.CHANGES_REQUESTED


# -- a public text again


def test_both_chairs_confirm_that_a_public_text_still_holds():
    version = make_practice("feedback")
    round = reviews.start_revalidation(version)
    leader, other = chair("user"), chair("scientific")
    form = Page(at_desk(leader.user).get(page_of(round))).one("form", id="decide-user")
    assert form.texts("legend") == ["Is de tekst nog geldig?"]
    assert form.one("fieldset").texts("label") == ["De tekst is nog geldig", "De tekst moet anders"]

    for seat in (leader, other):
        typed = data(seat, round, outcome="approve", rationale="Geen nieuw onderzoek.")
        assert post(seat.user, "decide", round, typed).status_code == 302

    round.refresh_from_db()
    assert round.outcome == "approved"
    page = Page(at_desk(leader.user).get(page_of(round)))
    assert "Niets: dit is de tekst zoals hij online staat." in page.texts("p")
