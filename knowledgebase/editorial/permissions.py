"""Roles and what each may do in the admin. Who may make which move of the workflow joins here with the workflow."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_noop

TEXTS = ("practice", "practiceversion", "summary", "summaryversion", "theme", "themeversion", "page", "pageversion")
CHILDREN = ("evidencerating", "externalverdict", "conceptlink", "sourcelink", "itemlink")
REFERENCE = ("concept", "conceptlabel", "source")
EVERYTHING = ("view", "add", "change", "delete")


@dataclass(frozen=True)
class Role:
    """A group of accounts; the description is what people with the role read about it."""

    name: str
    description: str
    grants: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # (models, deeds) pairs


READ = (("item", *TEXTS, *CHILDREN, *REFERENCE), ("view",))
WRITE = ((*TEXTS, *CHILDREN), EVERYTHING)
ROLES = (
    Role(
        "redacteur",
        gettext_noop("Writes texts: starts new versions, edits drafts, adds ratings and sources to them."),
        (READ, WRITE, (("source",), ("add",))),
    ),
    Role(
        "eindredacteur",
        gettext_noop("Does what an editor does, keeps sources and vocabularies, and publishes what was approved."),
        (READ, WRITE, (REFERENCE, EVERYTHING), (("version",), ("publish",))),
    ),
    Role(
        "beheerder",
        gettext_noop("Keeps accounts and their roles, sources and vocabularies. Writes and approves no texts."),
        (READ, (REFERENCE, EVERYTHING), (("user",), EVERYTHING), (("group",), ("view",))),
    ),
    Role("voorzitter", gettext_noop("Chairs a commission: reads all texts."), (READ,)),
    Role("lid", gettext_noop("Is a member of a commission: reads all texts."), (READ,)),
)


def sync_roles() -> None:
    """Give every role exactly its permissions; safe to run again, and run after every migrate."""
    known = {(p.content_type.model, p.codename): p for p in Permission.objects.select_related("content_type")}
    for role in ROLES:
        group, _created = Group.objects.get_or_create(name=role.name)
        group.permissions.set(
            known[model, f"{deed}_{model}"]
            for models, deeds in role.grants
            for model in models
            for deed in deeds
            if (model, f"{deed}_{model}") in known
        )
