from django.db import models

from .editorial import Version


class ComputedResult(models.Model):
    """The result of a selection of a published version, made when it was published: derived, rebuilt by `render_texts`.

    A page that shows it needs no arithmetic. `method` is the version of the method; another one is not read.
    """

    version = models.ForeignKey(Version, models.CASCADE, related_name="computed_results")
    selection = models.UUIDField()  # the uid of a Selection of the same version
    method = models.CharField(max_length=10)
    content = models.TextField()  # JSON with all digits

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "selection", "method"], name="selection_is_computed_once")
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.selection}"
