"""One address for every kind of page, by the name that a failing test shows."""

HOME = "/"
OVERVIEW = "/praktijken/"
PLOT = "/praktijken/?weergave=grafiek"
OWN_FIGURE = "/praktijken/feedback/"
EEF_ONLY = "/praktijken/kleinere-klassen/"
UNKNOWN = "/praktijken/leerstijlen/"
SEARCH = "/zoeken/?q=feedback"
RECOUNT = "/praktijken/schrijvend-leren/cijfers/"
COMPARE_TWO = "/praktijken/vergelijk/?p=feedback&p=leerstijlen"
COMPARE_FOUR = "/praktijken/vergelijk/?p=feedback&p=peer-tutoring&p=kleinere-klassen&p=leerstijlen"

PAGES = {
    "home": HOME,
    "overview": OVERVIEW,
    "overview-table": "/praktijken/?weergave=tabel",
    "overview-plot": PLOT,
    "overview-filtered": "/praktijken/?niveau=lager&kost=2&sorteer=winst",
    "overview-notices": "/praktijken/?niveau=onbestaand&winst=xyz",
    "overview-empty": "/praktijken/?q=onvindbaar",
    "practice-own-figure": OWN_FIGURE,
    "practice-pupils": "/praktijken/feedback/?maat=leerlingen",
    "practice-eef-only": EEF_ONLY,
    "practice-unknown": UNKNOWN,
    "practice-study-rows": "/praktijken/schrijvend-leren/",
    "recount": RECOUNT,
    "recount-switched": f"{RECOUNT}?niveau=lager&zonder-uitschieters=ja&ons-niveau=lager&sorteer=-effect&rijen=in",
    "recount-too-few": f"{RECOUNT}?niveau=kleuter&vanaf=1998",
    "recount-correlation": "/samenvattingen/aanwezig-in-de-les/cijfers/",
    "compare-none": "/praktijken/vergelijk/",
    "compare-four": COMPARE_FOUR,
    "search-start": "/zoeken/",
    "search": SEARCH,
    "search-filtered": "/zoeken/?q=feedback&soort=praktijk&niveau=lager&sterkte=9",
    "search-repaired": "/zoeken/?q=feedbak",
    "search-nothing": "/zoeken/?q=onvindbaarheidsding",
    "summaries": "/samenvattingen/",
    "summary": "/samenvattingen/feedback-wat-maakt-het-verschil/",
    "themes": "/themas/",
    "theme": "/themas/feedback-en-toetsen/",
    "sources": "/bronnen/",
    "source": "/bronnen/adesope-2017/",
    "glossary": "/begrippen/",
    "about": "/over/",
    "method": "/over/werkwijze/",
    "structure": "/over/structuur/",
    "reuse": "/over/hergebruik/",
    "accessibility": "/toegankelijkheid/",
    "privacy": "/privacy/",
    "login": "/aanmelden/",
    "not-found": "/bestaat-niet/",
    "versions": "/praktijken/huiswerk/versies/",
    "versions-difference": "/praktijken/huiswerk/versies/?van=1&naar=2",
    "versions-notices": "/praktijken/huiswerk/versies/?van=1&naar=9",
    "old-version": "/praktijken/huiswerk/versies/1/",
    "withdrawn-versions": "/samenvattingen/zittenblijven-hangt-af-van-het-systeem/versies/",
    "withdrawn": "/samenvattingen/zittenblijven-hangt-af-van-het-systeem/",
}
PRIVATE = {"login"}  # sets the cookie that protects its form
STATUS = {"not-found": 404, "withdrawn": 410}
PUBLIC = {name: path for name, path in PAGES.items() if name not in PRIVATE}
