"""A page as a test reads it: a small tree of elements, what a reader sees of it, and whether it is inert."""

import json
import re
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
FORBIDDEN = {"iframe", "object", "embed", "applet", "base", "style", "foreignobject", "animate", "set", "math"}
ADDRESSES = {"href", "src", "action", "formaction", "xlink:href", "poster", "data", "srcset", "cite", "background"}
INLINE = {"a", "abbr", "b", "button", "code", "em", "i", "label", "small", "span", "strong", "sub", "sup", "time"}
PRIVATE = {"Cookie", "Authorization"}
SCRIPT = "/static/js/search-box.js"  # the only one that readers get


class Element:
    def __init__(self, tag, attributes=(), parent=None):
        self.tag, self.attributes, self.parent = tag, dict(attributes), parent
        self.children = []

    def __getitem__(self, name):
        return self.attributes[name]

    def __iter__(self):
        """Itself and every element below it, in reading order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()

    @property
    def text(self):
        """All words below it, with single blanks."""
        return " ".join("".join(self._texts()).split())

    def _texts(self):
        for child in self.children:
            if isinstance(child, Element):
                apart = "" if child.tag in INLINE else " "
                yield from (apart, *child._texts(), apart)
            else:
                yield child

    def all(self, tag="", cls="", **attributes):
        """The elements below it with this tag, class and attributes (`data_key=True`: whatever its value)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self
            if (not tag or element.tag == tag)
            and (not cls or cls in element.classes)
            and all(
                name in element.attributes and value in (True, element.attributes[name])
                for name, value in wanted.items()
            )
        ]

    def one(self, tag="", cls="", **attributes):
        found = self.all(tag, cls, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag}.{cls} {attributes}"
        return found[0]

    def texts(self, tag="", cls="", **attributes):
        return [element.text for element in self.all(tag, cls, **attributes)]


class _Builder(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = self.here = Element("document")

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag, attrs):
        self.here.children.append(Element(tag, attrs, self.here))

    def handle_endtag(self, tag):
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}> ({self.here.attributes})"
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.children.append(data)


def parse(html):
    """The root of a page whose elements are all closed in order."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert builder.here is builder.root, f"<{builder.here.tag}> is never closed"
    return builder.root


class Page:
    """An answer of the site as HTML."""

    def __init__(self, response, status=200):
        assert response.status_code == status, response.status_code
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        self.response = response
        self.html = response.content.decode()
        self.root = parse(self.html)
        self.main = self.root.one("main")
        self.all, self.one, self.texts = self.main.all, self.main.one, self.main.texts

    @property
    def keys(self):
        """The data-key of everything listed on the page, in reading order."""
        return [element["data-key"] for element in self.main.all(data_key=True) if element is not self.main]

    @property
    def notices(self):
        return [li.text for ul in self.all("ul", "notices") for li in ul.all("li")]

    @property
    def headings(self):
        return [element.text for element in self.main if element.tag in {"h1", "h2", "h3", "h4"}]

    @property
    def links(self):
        """(words, address) of every link in the main part."""
        return [(a.text, a["href"]) for a in self.all("a")]

    def href(self, words):
        [address] = [href for text, href in self.links if text == words]
        return address

    @property
    def linked_data(self):
        return [json.loads("".join(s._texts())) for s in self.root.all("script", type="application/ld+json")]

    @property
    def tags(self):
        return [element.tag for element in self.root]


def _address(value):
    """An address as a browser reads it: without blanks and control characters."""
    return re.sub(r"[\x00-\x20\x7f-\xa0]", "", value or "").lower()


def assert_inert(html):
    """Nothing in the page can run but our own file: no script, no handler, no address that is code; the data is JSON."""
    root = parse(html)
    for element in root:
        assert element.tag not in FORBIDDEN, element.tag
        if element.tag == "script" and "src" in element.attributes:
            assert element.attributes == {"src": SCRIPT, "defer": None}
            assert not element.children
        elif element.tag == "script":
            assert element.attributes == {"type": "application/ld+json"}
            json.loads("".join(element._texts()))
        if element.tag == "meta":
            assert "http-equiv" not in element.attributes
        for name, value in element.attributes.items():
            assert not name.lower().startswith("on"), (element.tag, name)
            assert name.lower() not in {"style", "srcdoc"}, (element.tag, name)
            if name.lower() in ADDRESSES:
                assert not _address(value).startswith(("javascript:", "vbscript:", "data:")), (element.tag, value)
    return root


def assert_the_same_for_everyone(response):
    """Nothing in an answer depends on who asks."""
    assert "Set-Cookie" not in response.headers
    assert not response.cookies
    varies = {name.strip() for name in response.headers.get("Vary", "").split(",")}
    assert not varies & PRIVATE, varies
