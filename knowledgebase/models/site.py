from django.db import models
from django.db.models import F
from django.utils import timezone


class SiteState(models.Model):
    """One row: a number that grows with every change a reader can see, and when it last grew.

    ETags hold it, so that a page can be answered with "not modified" without being rendered.
    """

    content_version = models.BigIntegerField(default=1)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="site_state_has_one_row")]

    def __str__(self) -> str:
        return str(self.content_version)

    @property
    def content_key(self) -> str:
        """What to keep derived things under: a number that was rolled back, or restored, comes again, its moment does not."""
        return f"{self.content_version}-{self.changed_at.timestamp()}" if self.content_version else "0"

    @classmethod
    def current(cls) -> "SiteState":
        """The row, unsaved with number 0 in a database that holds nothing yet."""
        return cls.objects.filter(pk=1).first() or cls(pk=1, content_version=0)

    @classmethod
    def touch(cls) -> None:
        """Say that something a reader can see has changed."""
        now = timezone.now()
        if not cls.objects.filter(pk=1).update(content_version=F("content_version") + 1, changed_at=now):
            _state, created = cls.objects.get_or_create(pk=1, defaults={"changed_at": now})
            if not created:  # somebody else made it in between
                cls.touch()

    @classmethod
    def locked(cls) -> "SiteState":
        """The row, locked until the transaction ends."""
        cls.objects.get_or_create(pk=1)
        return cls.objects.select_for_update().get(pk=1)
