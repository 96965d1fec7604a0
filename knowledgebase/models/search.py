from django.db import models

from .editorial import Item


class SearchEntry(models.Model):
    """The words under which a published item is found: derived, filled by the transaction that publishes."""

    item = models.OneToOneField(Item, models.CASCADE, primary_key=True, related_name="search_entry")
    kind = models.CharField(max_length=10, choices=Item.Kind)
    text = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["kind"], name="search_entry_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.item_id}"
