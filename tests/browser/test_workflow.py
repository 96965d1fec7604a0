"""A text from its first draft to its second public version, by the people of the demonstration, each in a browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from .prepare_workflow import AUDIENCE, LEVEL, SOURCE
from .server import serving
from .ways import log_in

TITLE, SLUG = "Lezen met een maatje", "lezen-met-een-maatje"
USERS = ("lid-gebruikers-1", "lid-gebruikers-2")
SCIENCE = ("lid-wetenschap-1", "lid-wetenschap-2")
FIRST_REASON, BETTER_REASON = "Er is te weinig onderzoek.", "Er is maar één studie, en die telt weinig klassen."
NEW_LINE = "Wissel de duo’s na een maand."
NOTE = "We zeggen wanneer je de duo’s wisselt."


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """A site with the demonstration's people and without a text."""
    with serving(demo=False, prepare="tests.browser.prepare_workflow") as url:
        yield url


@pytest.fixture
def people(browser: Browser, base_url: str) -> Iterator[Callable[[str], Page]]:
    """`people("redacteur")` is the page of somebody who logged in, each in a browser window of their own."""
    contexts: list[BrowserContext] = []
    pages: dict[str, Page] = {}

    def page_of(name: str) -> Page:
        if name not in pages:
            contexts.append(browser.new_context(base_url=base_url, locale="nl-BE", reduced_motion="reduce"))
            pages[name] = contexts[-1].new_page()
            log_in(pages[name], name)
        return pages[name]

    yield page_of
    for context in contexts:
        context.close()


# -- at the desk


def desk_line(page: Page, whose: str) -> Locator:
    """The line of the text on the desk: under `voor-jou` or `voor-anderen`."""
    page.goto("/redactie/")
    expect(page.locator(".desk-line")).to_have_count(1)
    return page.locator(f"section[aria-labelledby={whose}] .desk-line")


def follow(page: Page, asked: str) -> None:
    """What waits for this person is asked in these words; its title leads to it."""
    line = desk_line(page, "voor-jou")
    expect(line.locator(".desk-asked")).to_contain_text(asked)
    line.get_by_role("link", name=TITLE, exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)


def choose(form: Locator, question: str, answer: str) -> None:
    form.get_by_role("group", name=question).get_by_role("radio", name=answer, exact=True).check()


def review(page: Page, *, advice: str = "goedkeuren", why: str = "") -> None:
    """Every question of the checklist with yes, no interest, and this advice."""
    follow(page, "Geef je beoordeling")
    form = page.locator("form[id^=review-]")
    for question in form.locator(".desk-question fieldset").all():
        question.get_by_role("radio", name="ja", exact=True).check()
    choose(form, "Heb je een belang bij deze tekst?", "geen belang")
    choose(form, "Wat adviseer je?", advice)
    form.get_by_label("Toelichting").fill(why)
    form.get_by_role("button", name="Leg je beoordeling vast").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Dank je: je beoordeling is vastgelegd.")
    expect(page.get_by_role("heading", name=f"Je beoordeling: {advice}")).to_be_visible()


def decide(page: Page, outcome: str, why: str) -> None:
    follow(page, "Leg het besluit van je commissie vast")
    form = page.locator("form[id^=decide-]")
    choose(form, "Wat beslist je commissie?", outcome)
    form.get_by_label("Motivering").fill(why)
    form.get_by_role("button", name="Leg het besluit vast").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Het besluit van je commissie is vastgelegd.")


# -- in the admin


def listed(page: Page, column: str) -> Locator:
    """What the list of practices says of the text in a column."""
    page.goto("/admin/practices/practice/")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    return page.locator(f"#result_list .field-{column}")


def open_draft(page: Page) -> None:
    listed(page, "being_written").get_by_role("link").click()
    expect(page.locator(".version-state")).to_be_visible()


def add_row(page: Page, rows: str) -> None:
    page.locator(f"#{rows}-group .add-row a").press("Enter")


def pick(page: Page, rows: str, number: int, words: str) -> None:
    """Search in the list of a row and take what is found, with the keyboard."""
    add_row(page, rows)
    page.locator(f"#{rows}-{number} .select2-selection").press("Enter")
    page.locator(".select2-search__field").press_sequentially(words)
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text(words)
    page.keyboard.press("Enter")
    expect(page.locator(f"#{rows}-{number} .select2-selection__rendered")).to_contain_text(words)


def save(page: Page) -> None:
    page.locator("[name=_continue]").press("Enter")
    expect(page.locator(".messagelist .success")).to_be_visible()
    expect(page.locator(".messagelist .warning")).to_have_count(0)


def move(page: Page, label: str, deed: str, done: str) -> None:
    """A button that asks first: press it, say yes, and read what was done."""
    page.locator(".object-tools").get_by_role("link", name=label).press("Enter")
    page.get_by_role("button", name=deed).press("Enter")
    expect(page.locator(".messagelist .success")).to_contain_text(done)


def submit(page: Page) -> None:
    move(page, "Nakijken en indienen …", "Dien in bij beide commissies", "Ingediend: beide commissies antwoorden tegen")
    expect(page.locator(".version-state")).to_contain_text("in beoordeling")
    expect(page.locator("#id_title")).to_have_count(0)  # nobody writes in it now


def publish(page: Page) -> None:
    follow_to_admin(page, "Publiceer: beide commissies keurden goed")
    move(page, "Publiceren …", "Publiceren", "Gepubliceerd: lezers zien nu deze versie.")


def follow_to_admin(page: Page, asked: str) -> None:
    follow(page, asked)
    page.wait_for_url(re.compile("/admin/practices/practiceversion/"))


# -- the journey


def test_from_a_first_draft_to_a_second_version(page: Page, people: Callable[[str], Page]):
    editor, chief = people("redacteur"), people("eindredacteur")
    user_chair, science_chair = people("voorzitter-gebruikers"), people("voorzitter-wetenschap")
    reader = page

    write_the_first_draft(editor)
    assert reader.goto(f"/praktijken/{SLUG}/").status == 404
    submit(editor)
    expect(listed(editor, "being_written")).to_have_text("versie 1, in beoordeling")
    expect(listed(editor, "to_act")).to_have_text("beide commissies")

    # A chair waits for the members; these see what colleagues wrote only after their own review.
    expect(desk_line(user_chair, "voor-jou")).to_contain_text("Geef je beoordeling")
    for name in USERS:
        review(people(name))
    review(people(SCIENCE[0]))
    expect(desk_line(people(SCIENCE[0]), "voor-anderen")).to_contain_text("1 van de 2 adviezen")
    review(people(SCIENCE[1]), advice="wijzigingen vragen", why="Zeg hoeveel studies er zijn.")
    decide(user_chair, "We keuren de tekst goed", "Een leerkracht kan hier morgen mee aan de slag.")
    expect(listed(editor, "to_act")).to_have_text("wetenschappelijke commissie")
    decide(science_chair, "We vragen wijzigingen", "Zeg waarom de leerwinst onbekend is.")

    # Both answers come back at once; the editor amends what was asked.
    expect(listed(editor, "being_written")).to_have_text("versie 1, wijzigingen gevraagd")
    follow_to_admin(editor, "Pas aan wat de commissies vragen")
    expect(editor.locator(".report")).to_contain_text("Zeg waarom de leerwinst onbekend is.")
    expect(editor.locator(".report")).to_contain_text("Zeg hoeveel studies er zijn.")
    editor.locator("#id_ratings-0-unknown_reason").fill(BETTER_REASON)
    save(editor)
    submit(editor)

    # Nothing changed that the user commission judges: its chair confirms in one press.
    follow(user_chair, "Geef je beoordeling")
    expect(user_chair.locator("#verschillen ~ details").last).to_contain_text("maar één studie")
    user_chair.get_by_role("button", name="Bevestig eerdere goedkeuring").press("Enter")
    expect(user_chair.get_by_role("status")).to_contain_text("De eerdere goedkeuring geldt ook voor deze tekst.")
    for name in SCIENCE:
        review(people(name))
    decide(science_chair, "We keuren de tekst goed", "De tekst zegt nu wat we niet weten.")
    expect(listed(chief, "being_written")).to_have_text("versie 1, goedgekeurd")
    expect(listed(chief, "to_act")).to_have_text("eindredacteur")
    expect(desk_line(editor, "voor-anderen")).to_contain_text("Wacht op de eindredacteur")
    publish(chief)

    expect(listed(chief, "public")).to_contain_text("versie 1, ")
    assert reader.goto(f"/praktijken/{SLUG}/").status == 200
    expect(reader.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(reader.locator(".version-line")).to_contain_text("Versie 1")
    expect(reader.locator(".version-line")).to_contain_text("goedgekeurd door beide commissies")
    expect(reader.locator("main")).to_contain_text(BETTER_REASON)
    approvals = reader.locator(".approval")
    expect(approvals).to_have_count(2)
    expect(approvals.filter(has_text="Gebruikerscommissie")).to_contain_text("hier morgen mee aan de slag")
    expect(approvals.filter(has_text="Wetenschappelijke commissie")).to_contain_text("zegt nu wat we niet weten")

    # The second version: readers keep the first until it is published.
    write_the_second_version(editor)
    submit(editor)
    for name in (*USERS, *SCIENCE):
        review(people(name))
    decide(user_chair, "We keuren de tekst goed", "De nieuwe raad is haalbaar.")
    decide(science_chair, "We keuren de tekst goed", "De nieuwe raad spreekt het onderzoek niet tegen.")
    reader.reload()
    expect(reader.locator(".version-line")).to_contain_text("Versie 1")
    expect(reader.get_by_text(NEW_LINE)).to_have_count(0)
    publish(chief)
    read_both_versions(reader)

    for somebody in (editor, chief, user_chair, people(USERS[0])):
        somebody.goto("/redactie/")
        expect(somebody.locator(".desk-line")).to_have_count(0)
    expect(listed(chief, "public")).to_contain_text("versie 2, ")
    expect(listed(chief, "to_act")).to_have_text("–")


def write_the_first_draft(page: Page) -> None:
    """A new practice, from the list of practices; what is missing is said before it can be submitted."""
    page.goto("/admin/practices/practice/")
    page.locator(".object-tools .addlink").press("Enter")
    page.locator("#id_title").fill(TITLE)
    page.locator("#id_slug").fill(SLUG)
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist .success")).to_contain_text("Dit is het eerste ontwerp.")
    expect(page.locator(".version-state")).to_contain_text("Versie 1: ontwerp.")

    page.locator(".object-tools").get_by_role("link", name="Nakijken en indienen …").press("Enter")
    expect(page.locator(".findings .blocking")).to_have_count(5)
    expect(page.get_by_role("button", name="Dien in bij beide commissies")).to_have_count(0)
    page.locator(".findings .blocking a").last.press("Enter")

    page.locator("#id_lead").fill("Twee leerlingen lezen samen een tekst en helpen elkaar.")
    page.locator("#id_in_short").fill(f"- Een sterke en een zwakke lezer lezen samen. [@{SOURCE}]\n- Het kost weinig.")
    page.locator("#id_when_not").fill("Het werkt niet als de tekst voor allebei te moeilijk is.")
    page.locator("#id_pitfalls").fill("- De sterke lezer leest alles zelf voor.")
    add_row(page, "ratings")
    page.locator("#id_ratings-0-context_key").fill("overall")
    page.locator("#id_ratings-0-basis").select_option("unknown")
    page.locator("#id_ratings-0-unknown_reason").fill(FIRST_REASON)
    page.locator("#id_ratings-0-strength_reason").fill("Daarvoor is er te weinig onderzoek.")
    page.locator("#id_ratings-0-cost_reason").fill("Niemand heeft de kost berekend.")
    pick(page, "concept_links", 0, LEVEL)
    pick(page, "concept_links", 1, AUDIENCE)
    pick(page, "source_links", 0, "Jansen")
    save(page)


def write_the_second_version(page: Page) -> None:
    page.goto("/admin/practices/practice/")
    page.locator("#result_list tbody th a").click()
    page.get_by_role("button", name="Nieuwe versie").press("Enter")
    expect(page.locator(".messagelist .success")).to_contain_text("Versie 2 is een ontwerp.")
    pitfalls = page.locator("#id_pitfalls")
    pitfalls.press("Control+End")
    pitfalls.press_sequentially(f"\n- {NEW_LINE}")
    page.locator("#id_change_type").select_option("taal")
    page.locator("#id_conclusion_changed").select_option("nee")
    page.locator("#id_change_note").fill(NOTE)
    save(page)
    expect(listed(page, "being_written")).to_have_text("versie 2, ontwerp")
    expect(listed(page, "public")).to_contain_text("versie 1, ")
    open_draft(page)


def read_both_versions(page: Page) -> None:
    """A reader sees what changed, the difference, and the first version at its own address."""
    page.reload()
    expect(page.locator(".version-line")).to_contain_text("Versie 2")
    expect(page.locator(".change-box")).to_contain_text(NOTE)
    expect(page.get_by_text(NEW_LINE)).to_have_count(1)
    page.locator(".change-box").get_by_role("link", name="Bekijk wat er veranderde").press("Enter")
    page.wait_for_url(f"**/praktijken/{SLUG}/versies/")
    entries = page.locator(".version-entry")
    expect(entries.locator("h3")).to_have_text(["Versie 2 de huidige", "Versie 1 vervangen"])
    expect(entries.first).to_contain_text(NOTE)
    expect(entries.last).to_contain_text("Dit is de eerste versie.")

    entries.first.get_by_role("link", name="Wat veranderde van versie 1 naar 2").press("Enter")
    expect(page.locator("#verschil")).to_have_text(re.compile("Van versie 1 naar versie 2"))
    expect(page.locator(".difference h3")).to_have_text(re.compile("^valkuilen$", re.IGNORECASE))
    expect(page.locator(".difference ins")).to_contain_text(NEW_LINE)
    expect(page.locator(".difference del")).to_have_count(0)

    entries.last.get_by_role("link", name="Lees versie 1").press("Enter")
    page.wait_for_url(f"**/praktijken/{SLUG}/versies/1/")
    expect(page.locator(".archived-notice")).to_contain_text("Dit is een oude versie: nummer 1.")
    expect(page.locator("main")).to_contain_text(BETTER_REASON)
    expect(page.locator("main")).to_contain_text("De sterke lezer leest alles zelf voor.")
    expect(page.get_by_text(NEW_LINE)).to_have_count(0)
    page.locator(".archived-notice").get_by_role("link", name="Lees de huidige versie (2)").press("Enter")
    page.wait_for_url(f"**/praktijken/{SLUG}/")
    expect(page.get_by_text(NEW_LINE)).to_have_count(1)
