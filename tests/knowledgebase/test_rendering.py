import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from knowledgebase import rendering
from knowledgebase.models import ConceptLabel, RenderedText
from knowledgebase.rendering import (
    ATTRIBUTES,
    MAX_CHARACTERS,
    MAX_LINES,
    MAX_OPEN,
    TAGS,
    GlossaryMarks,
    Lexicon,
    Term,
    TextTooComplex,
    citations_in,
    html_of,
    lexicon,
    plain,
    render,
    store,
    tokens_in,
)
from tests.factories import make_page, make_practice, make_source, make_summary, make_term, rating
from tests.work import calls

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "xss-vectors.json").read_text(encoding="utf-8"))


class Tags(HTMLParser):
    """Every tag of a piece of HTML with its attributes, and its words."""

    def __init__(self, html):
        super().__init__()
        self.found, self.words = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data


def assert_inert(html):
    """Nothing in it runs, loads from elsewhere, takes over the page's look or opens another kind of address."""
    assert "<!--" not in html
    for tag, attributes in Tags(html).found:
        assert tag in TAGS
        # nh3 puts rel on links itself
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set())
        address = attributes.get("href", "")
        scheme = re.sub(r"[\x00-\x20]", "", address).lower().partition(":")
        assert not scheme[1] or scheme[0] in {"http", "https", "mailto"} or address.startswith(("#", "/"))
        assert not address.startswith("//")
        assert "\\" not in address
        assert attributes.get("src", "/media/").startswith(("/media/", "/static/"))
        for word in (attributes.get("class") or "").split():
            assert re.fullmatch(r"cite|table-scroll|align-(left|center|right)|language-[\w+#-]+", word)


# -- what Markdown gives --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Een **twee** _drie_", "<p>Een <strong>twee</strong> <em>drie</em></p>"),
        ("# Kop", "<h2>Kop</h2>"),
        ("### Kop", "<h3>Kop</h3>"),
        ("- een\n- twee", "<ul>\n<li>een</li>\n<li>twee</li>\n</ul>"),
        ("3. drie\n4. vier", '<ol start="3">\n<li>drie</li>\n<li>vier</li>\n</ol>'),
        ("`{{ winst }}` < 5 & zo", "<p><code>{{ winst }}</code> &lt; 5 &amp; zo</p>"),
        ("```python\nx = 1\n```", '<pre><code class="language-python">x = 1\n</code></pre>'),
        ("![Een foto](/media/klas.jpg)", '<p><img alt="Een foto" src="/media/klas.jpg"></p>'),
        ("![Een foto](https://elders.example/klas.jpg)", "<p><em>Een foto</em></p>"),
        ("![Een foto](//elders.example/klas.jpg)", "<p><em>Een foto</em></p>"),
        ("<b>vet</b> <!-- weg -->", "<p>&lt;b&gt;vet&lt;/b&gt; &lt;!-- weg --&gt;</p>"),
        ("[x](https://example.org/)", '<p><a href="https://example.org/" rel="noopener noreferrer">x</a></p>'),
        ("[x](/praktijken/)", '<p><a href="/praktijken/" rel="noopener noreferrer">x</a></p>'),
        ("", ""),
    ],
)
def test_render(text, html):
    assert render(text) == html


def test_tables_scroll_by_keyboard_and_say_what_their_headers_are():
    html = render("voor\n\na | b\n:-:|--:\n1 | 2\n\nna")
    assert html.count('<div aria-label="Tabel" class="table-scroll" role="region" tabindex="0"><table>') == 1
    assert re.search(r'tabindex="0"><table>.*</table></div>\s*<p>na</p>', html, re.DOTALL)
    assert [attributes for tag, attributes in Tags(html).found if tag == "th"] == [
        {"scope": "col", "class": "align-center"},
        {"scope": "col", "class": "align-right"},
    ]
    assert "style" not in html


# -- tokens and citations -------------------------------------------------------------------------


def test_tokens_are_filled_and_unknown_ones_stay_as_written():
    values = {"winst": "6 maanden", "winst:niveau:lager": "3 maanden"}
    text = "{{ winst }}, {{winst:niveau:lager}}, {{ wins }} en {{ WINST }}"
    assert render(text, tokens=values) == "<p>6 maanden, 3 maanden, {{ wins }} en {{ WINST }}</p>"
    assert tokens_in(text) == ["winst", "winst:niveau:lager", "wins"]


def test_citations_become_links_to_the_reference_and_unknown_ones_stay_as_written():
    html = render(
        "Dat klopt [@okkinga-2018] [@wie-2000] `[@okkinga-2018]`.", citations={"okkinga-2018": "Okkinga & co"}
    )
    assert html == (
        '<p>Dat klopt <a class="cite" href="#bron-okkinga-2018" rel="noopener noreferrer">(Okkinga &amp; co)</a> '
        "[@wie-2000] <code>[@okkinga-2018]</code>.</p>"
    )
    assert citations_in("[@okkinga-2018] [@X] [@a-1]") == ["okkinga-2018", "a-1"]


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "[x](javascript:1)"])
def test_what_tokens_and_citations_stand_for_is_text(words):
    html = render("{{ winst }} [@a-1]", tokens={"winst": words}, citations={"a-1": words})
    assert_inert(html)
    assert "&lt;" in html or "javascript" not in "".join(a.get("href", "") for _t, a in Tags(html).found)


def test_plain_is_the_words_alone():
    assert plain(
        "## Kop\n\nEen **{{ winst }}** [@a-1] [link](/x/) & <b>vet</b>\n\n- punt", tokens={"winst": "6 m"}
    ) == ("Kop Een 6 m link &amp; &lt;b&gt;vet&lt;/b&gt; punt")


# -- safety ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors_are_inert(vector):
    for text in (vector["markdown"], f"- x\n- {vector['markdown']}", f"a {vector['markdown']} [@a-1] {{{{ winst }}}}"):
        assert_inert(render(text, tokens={"winst": "6"}, citations={"a-1": "A"}))
    assert "<" not in re.sub(r"&lt;", "", plain(vector["markdown"]))


pieces = st.sampled_from([
    "<script>", "</script>", "<img src=x onerror=alert(1)>", "[", "]", "(", ")", "javascript:alert(1)", "`", "```\n",
    "\n", "\n\n", "    ", "|", "|-|-\n", "> ", "- ", "#", "*", "_", '"', "'", "<", ">", "&#x6a;", "\x02", "\x03", "\x00",
    "[@a-1]", "{{ winst }}", "![x](", "<a href=", "<svg onload=alert(1)>", "\\", "://", "http:", "{: onclick=x }", "é",
])  # fmt: skip


@given(st.lists(pieces, max_size=25).map("".join))
@settings(max_examples=150, deadline=None)
@example(text='\\![x]("javascript:alert(1)')
def test_any_mixture_is_inert(text):
    html = render(text, tokens={"winst": "6"}, citations={"a-1": "A"})
    assert_inert(html)
    marks = GlossaryMarks(Lexicon.of([("script", TERM), ("img", TERM), ("amp", TERM), ("http", TERM)]))
    unmarked = re.sub(r'<button type="button" class="term" popovertarget="begrip-effect">(\w+)</button>', r"\1",
                      marks.mark(html))  # fmt: skip
    assert unmarked == html


@pytest.mark.parametrize(
    "text",
    ["x" * (MAX_CHARACTERS + 1), "[" * (MAX_OPEN + 1), "(" * (MAX_OPEN + 1), "# a\n" * (MAX_LINES + 1),
     "a ![x" * (MAX_OPEN + 1), ")" * 50 + "(" * (MAX_OPEN + 1)],
)  # fmt: skip
def test_texts_that_markdown_would_chew_on_are_refused(text):
    with pytest.raises(TextTooComplex) as refused:
        render(text)
    assert re.search(r"\d", str(refused.value))


LONG = {
    "quotes": ">" * MAX_CHARACTERS,
    "spaced quotes": "> " * 50_000,
    "backticks": "`" * MAX_CHARACTERS,
    "runs of backticks": " ".join("`" * n for n in range(1, 440)),
    "stars": "*" * MAX_CHARACTERS,
    "unclosed stars": "**a*" * 25_000,
    "underscores": "_a " * 33_000,
    "stars and underscores": "*_" * 50_000,
    "less than": "<" * MAX_CHARACTERS,
    "unclosed tags": "<a " * 33_000,
    "headings": "# a\n" * MAX_LINES,
    "underlined headings": "a\n=\n" * (MAX_LINES // 2),
    "open fences": "~~~a\n" * MAX_LINES,
    "nested list": "\n".join("    " * n + "- a" for n in range(200)),
    "links": "[a](b)" * 16_000,
    "references": "".join(f"[a{n}]: x\n" for n in range(MAX_LINES)),
    "backslashes": "\\" * MAX_CHARACTERS,
    "closed brackets": "[]" * 50_000,
    "parentheses": "[a](" + "()" * 40_000,
    "spaces": " " * MAX_CHARACTERS,
    "table": "a|b\n-|-\n" + "a|b\n" * (MAX_LINES - 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_the_longest_texts_are_bounded_work(name):
    made = []
    assert calls(lambda: made.append(render(LONG[name]))) < 10_000_000
    assert_inert(made[0])


def test_within_the_bounds_nothing_is_refused():
    render("([a](/b/)) " * 200 + "\n" * 10)


# -- the glossary ---------------------------------------------------------------------------------

TERM = Term("effect", "effect", "Wat verandert.")
SIZE = Term("effectgrootte", "effectgrootte", "Hoe groot.")


def button(term, words):
    return f'<button type="button" class="term" popovertarget="begrip-{term.slug}">{words}</button>'


@pytest.mark.parametrize(
    ("label", "html", "marked"),
    [
        ("effect", "<p>Een effect, dit effect.</p>", f"<p>Een {button(TERM, 'effect')}, dit effect.</p>"),
        ("effect", "<p>Effect!</p>", f"<p>{button(TERM, 'Effect')}!</p>"),
        ("effect", "<p>effecten neveneffect neven-effect effect-vol</p>", None),
        ("effect", '<p><a href="/effect/">effect</a> <code>effect</code></p>', None),
        ("effect", "<h2>Een <em>effect</em></h2><h3>x <a>y</a> effect</h3>", None),
        ("effect", "<a><code>x</code> effect</a><th><a>x</a> effect</th>", None),
        ("effect", "<pre><code>x</code> effect</pre>", None),
        ("effect", '<p title="effect">x</p>', None),
        ("amp", "<p>R&amp;D &amp; meer</p>", None),
        ("R&D", "<p>R&amp;D</p>", f"<p>{button(TERM, 'R&amp;D')}</p>"),
        ("één op één", "<p>ÉÉN OP ÉÉN</p>", f"<p>{button(TERM, 'ÉÉN OP ÉÉN')}</p>"),
        ("één", "<p>e\u0301e\u0301n</p>", f"<p>{button(TERM, 'één')}</p>"),
        ("e\u0301e\u0301n", "<p>één</p>", f"<p>{button(TERM, 'één')}</p>"),
        ("een", "<p>één</p>", None),
        ("s", "<p>\u017f</p>", None),
        ("a.b", "<p>axb a.b</p>", f"<p>axb {button(TERM, 'a.b')}</p>"),
        ("effect", "<article>effect</article>", f"<article>{button(TERM, 'effect')}</article>"),
    ],
)
def test_a_term_is_marked_where_a_reader_meets_it_first(label, html, marked):
    marks = GlossaryMarks(Lexicon.of([(label, TERM)]))
    assert marks.mark(html) == (html if marked is None else marked)
    assert (TERM.slug in marks.used) == (marked is not None)


def test_the_longest_label_wins():
    marks = GlossaryMarks(Lexicon.of([("effect", TERM), ("effect size", SIZE)]))
    assert marks.mark("effect size, effect") == f"{button(SIZE, 'effect size')}, {button(TERM, 'effect')}"
    assert list(marks.used) == ["effectgrootte", "effect"]


def test_one_page_marks_a_term_once_over_all_its_texts_and_labels():
    marks = GlossaryMarks(Lexicon.of([("effect", TERM), ("effecten", TERM)]))
    assert [marks.mark("effecten"), marks.mark("effect"), marks.mark("effecten")] == [
        button(TERM, "effecten"), "effect", "effecten",
    ]  # fmt: skip


def test_without_terms_nothing_is_marked():
    assert GlossaryMarks(Lexicon.of([])).mark("<p>effect</p>") == "<p>effect</p>"


@pytest.mark.django_db
def test_the_lexicon_holds_all_labels_and_is_read_once_per_content_version(django_assert_num_queries):
    make_term("effectgrootte", "effectgrootte", "effect size", definition="Hoe groot.")
    make_summary()
    words = lexicon()
    assert words.terms == {label: Term("effectgrootte", "effectgrootte", "Hoe groot.")
                           for label in ("effectgrootte", "effect size")}  # fmt: skip
    with django_assert_num_queries(1):
        assert lexicon() is words
    ConceptLabel.objects.create(concept=make_term("effectgrootte"), label="ES", relation="abbreviation")
    assert "es" in lexicon().terms


@pytest.mark.django_db
def test_labels_that_only_serve_to_find_a_term_mark_nothing():
    term = make_term("feedback", "feedback", "terugkoppeling")
    for relation in ConceptLabel.ONLY_TO_FIND:
        ConceptLabel.objects.create(concept=term, label=f"zo {relation}", relation=relation)
    assert set(lexicon().terms) == {"feedback", "terugkoppeling"}


# -- stored HTML ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_stored_html_is_served_without_rendering(monkeypatch, django_assert_num_queries):
    version = make_practice(
        sources=[make_source("hattie-2007", authors=[{"family": "Hattie"}], year=2007)],
        ratings=[rating("0.48", source=make_source("hattie-2007"))],
        what_it_is="Winst: {{ effect }} [@hattie-2007].",
    )
    html = html_of(version)["what_it_is"]
    assert "0,48" in html
    assert '<a class="cite" href="#bron-hattie-2007" rel="noopener noreferrer">(Hattie, 2007)</a>' in html
    monkeypatch.setattr(rendering, "render", None)
    with django_assert_num_queries(1):
        assert html_of(version)["what_it_is"] == html
    assert str(RenderedText.objects.get(field="what_it_is")) == f"{version.pk} what_it_is"


@pytest.mark.django_db
def test_a_draft_or_another_renderer_is_rendered_now(monkeypatch):
    draft, version = make_page(state="draft", body="Kladje"), make_page(body="Af")
    assert html_of(draft) == {"body": "<p>Kladje</p>"}
    monkeypatch.setattr(rendering, "RENDERER", rendering.RENDERER + 1)
    version.body = "Nieuw"
    assert html_of(version) == {"body": "<p>Nieuw</p>"}
    store(version)
    assert list(RenderedText.objects.filter(version=version).values_list("renderer", "html")) == [
        (rendering.RENDERER, "<p>Nieuw</p>")
    ]
