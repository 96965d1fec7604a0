"""Words that carry nothing of a question (STOP), and words that carry too little to choose a page by (SOFT)."""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# As typed, folded: a query loses them, unless it is quoted or they are part of a term of the thesaurus.
STOP = _set(
    "aan aangezien achter af al aldus alle alleen allemaal allerlei als alsnog altijd ander andere anderen anders ben "
    "bent bepaald bepaalde best beste bij bijna bijvoorbeeld bv daar daarbij daardoor daarna daarom daarvoor dan dat de "
    "der des deze die dient dit doe doen doet door doordat dus echt echte een eens eerder eerst eigen eigenlijk elk "
    "elke en enig enige enkel enkele er erg ergens even gaan gaat ga geen geeft geef geweest gewoon graag had hadden "
    "haar heb hebben hebt heeft heel hem hen het hier hij hoe hoeveel hoezo hoor hun ie ieder iedere iedereen iemand "
    "iets ik in indien is ja je jij jou jouw jullie kan kon konden krijg krijgen krijgt kun kunnen kunt laat laten leuk "
    "leuke maar maak maakt maken mag mee meer meest men met mij mijn misschien moest moet moeten mogelijk mogen na naar "
    "nadat nee net niet niets nodig nog nogal nooit nu of om omdat ons onze ook op opdat over pas per precies "
    "s slechts soms steeds straks t te tegen tegenover tijdens toch toe toen tot tussen u uit uw vaak van vanaf vandaar "
    "vanuit vanwege veel vele via vind vinden vindt volgens voor vooral voordat vrij waar waarbij waardoor waarin "
    "waarmee waarom waarop waaruit waarvan waarvoor wanneer want waren was wat we weer wel welk welke werd werden wie "
    "wiens wij wil willen wilt word worden wordt zal ze zeer zelf zelfs zeg zich zij zijn zo zoals zodat zoek zoeken "
    "zodra zonder zou zouden zowel zult zullen "
    "a an and are do does for from how in is my of on the to what which with"
)
# They answer little by themselves in texts on teaching: they order what other words found, and count when alone.
SOFT = _set(
    "aanpak aanpakken anderen basisonderwijs basisschool beter betere bestaan bestaat betekenen betekent bewijs bieden "
    "doel effect effecten effectief effectieve ervaring gebruik gebruiken gebruikt geven gegeven goed goede groot grote "
    "help helpen helpt hulp idee ideeen impact invloed inzetten inzet jongere jongeren kind kinderen klas klassen "
    "komen komt kids leerkracht leerkrachten leerling leerlingen leraar leraren leren leert les lessen lager lagere "
    "lukt manier manieren methode methoden methodes middelbaar middelbare nieuw nieuwe nut nuttig omgaan onderwijs "
    "onderzoek onderzoeken oud probleem problemen resultaat resultaten school scholen secundair secundaire slecht "
    "slechte slim slimme snel student studenten tip tips tijd vak voordeel voordelen nadeel nadelen verschil vraag "
    "weten weet werk werken werkt werkte werking zetten zet zin zinvol"
)

# What may stand apart from its verb, at the end: leg uit, vat samen.
PARTICLES = _set("aan af bij door in mee na om op over samen toe uit voor weg")
