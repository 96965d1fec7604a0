from django.db import models

from .editorial import Version


class RenderedText(models.Model):
    """The HTML of a published field, made when it was published: derived, and rebuilt by `manage.py render_texts`."""

    version = models.ForeignKey(Version, models.CASCADE, related_name="rendered_texts")
    renderer = models.PositiveSmallIntegerField()
    field = models.CharField(max_length=40)
    html = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "renderer", "field"], name="field_is_rendered_once")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.field}"
