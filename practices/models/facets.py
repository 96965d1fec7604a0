from django.db import models


class FacetIndex(models.Model):
    """A set or an order of published practices, as bytes: derived, kept by practices.facets.

    `niveau:lager` holds a bitmap with one bit per item; `order:naam` holds item ids, four bytes each, in that order.
    """

    name = models.CharField(max_length=100, primary_key=True)
    data = models.BinaryField()

    def __str__(self) -> str:
        return self.name
