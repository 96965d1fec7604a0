"""What readers search in: derived from published texts and live reference data by knowledgebase.search.database.

An index is whole: its entries, terms and words know it, so that a new one is built beside the one that answers.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

LONGEST_WORD = 60  # longer ones are no words


class SearchIndex(models.Model):
    """One whole index: the live one answers readers, another is being built beside it."""

    is_live = models.BooleanField(default=False)
    analysis_version = models.CharField(max_length=40)
    base = models.IntegerField()  # the bit of an entry in a bitmap is its number less this one
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_live"], condition=models.Q(is_live=True), name="one_index_is_live")
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.analysis_version})"


class SearchEntry(models.Model):
    """A public thing that can be found: narrow, as every hit of a query is joined with its row."""

    id = models.AutoField(primary_key=True)
    index = models.ForeignKey(SearchIndex, models.CASCADE, related_name="entries", db_index=False)
    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField()
    boost = models.SmallIntegerField()  # in percent: its kind, and the strength of its evidence
    tie = models.BigIntegerField()  # from its stable key: the order of equal scores, alike on every database
    key = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "kind", "object_id"], name="entry_is_unique_in_index")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class SearchText(models.Model):
    """What is shown of an entry, and what it brought into the index, so that only this is taken out again."""

    entry = models.OneToOneField(SearchEntry, models.CASCADE, primary_key=True, related_name="text")
    title = models.CharField(max_length=400)
    url = models.CharField(max_length=500)
    summary = models.TextField()
    body = models.TextField()
    keys = models.TextField()  # of all words in their order, between blanks: for phrases
    words = models.TextField()  # the different words
    terms = models.TextField()  # keys of SearchTerm, between blanks
    facets = models.TextField()
    weighs = models.BooleanField()  # counts in how rare a word is
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.title


class SearchTerm(models.Model):
    """A key of the analysis, with how many entries hold it."""

    id = models.AutoField(primary_key=True)
    index = models.ForeignKey(SearchIndex, models.CASCADE, related_name="terms", db_index=False)
    key = models.CharField(max_length=LONGEST_WORD)
    df = models.IntegerField()  # entries that weigh
    uses = models.IntegerField()  # all entries

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "key"], name="term_is_unique_in_index")]

    def __str__(self) -> str:
        return self.key


class SearchPosting(models.Model):
    """How much an entry is about a term, 1 to 1000. Its table and its one index differ by database (migration)."""

    pk = models.CompositePrimaryKey("term_id", "entry_id")
    term_id = models.IntegerField()
    entry_id = models.IntegerField()
    impact = models.SmallIntegerField()

    def __str__(self) -> str:
        return f"{self.term_id} {self.entry_id} {self.impact}"


class SearchWord(models.Model):
    """A word as texts write it: for suggestions, and for what a misspelt word may have been."""

    index = models.ForeignKey(SearchIndex, models.CASCADE, related_name="words", db_index=False)
    word = models.CharField(max_length=LONGEST_WORD)
    folded = models.CharField(max_length=LONGEST_WORD)  # without capitals and accents
    df = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "word"], name="word_is_unique_in_index")]

    def __str__(self) -> str:
        return self.word


class SearchTitleWord(models.Model):
    """A word of a title, or of what a text is also searched as: suggestions find the text by how it begins."""

    entry = models.ForeignKey(SearchEntry, models.CASCADE, related_name="title_words")
    index = models.ForeignKey(SearchIndex, models.CASCADE, related_name="+", db_index=False)
    folded = models.CharField(max_length=LONGEST_WORD)
    is_title = models.BooleanField()

    def __str__(self) -> str:
        return self.folded


class SearchFacet(models.Model):
    """Which entries have a value of a filter: a bitmap, one bit an entry (`niveau:lager`)."""

    index = models.ForeignKey(SearchIndex, models.CASCADE, related_name="facets", db_index=False)
    name = models.CharField(max_length=110)
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "name"], name="facet_is_unique_in_index")]

    def __str__(self) -> str:
        return self.name


class SearchMiss(models.Model):
    """A query that found nothing, counted per day: nothing tells who asked, or at what hour."""

    day = models.DateField(_("day"))
    query = models.CharField(_("query"), max_length=200)
    times = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        ordering = ["-day", "-times", "query"]
        verbose_name = _("query without result")
        verbose_name_plural = _("queries without result")
        constraints = [models.UniqueConstraint(fields=["day", "query"], name="miss_is_counted_per_day")]

    def __str__(self) -> str:
        return self.query
