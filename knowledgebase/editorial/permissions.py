"""Roles, and who may make which move. Commissions act by their seats, never by a permission."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from knowledgebase.models import Commission, Criterion, Membership, ReviewRound, User, Version, VersionContributor

from .refusals import NotAllowed

TEXTS = ("practice", "practiceversion", "summary", "summaryversion", "theme", "themeversion", "page", "pageversion")
CHILDREN = ("evidencerating", "externalverdict", "conceptlink", "sourcelink", "itemlink", "selection", "selectedeffect")
STUDIES = ("study", "effectsize")
REFERENCE = ("concept", "conceptlabel", "source")
EVERYTHING = ("view", "add", "change", "delete")


@dataclass(frozen=True)
class Role:
    """A group of accounts; the description is what people with the role read about it."""

    name: str
    description: str
    grants: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # (models, deeds) pairs


READ = (("item", *TEXTS, *CHILDREN, *REFERENCE, *STUDIES, "ratingrule"), ("view",))
WRITE = ((*TEXTS, *CHILDREN, *STUDIES), EVERYTHING)
ROLES = (
    Role(
        "redacteur",
        gettext_noop("Writes texts: starts new versions, edits drafts, adds ratings and sources to them."),
        (READ, WRITE, (("source",), ("add",)), (("version",), ("write",)), (("auditevent", "searchmiss"), ("view",))),
    ),
    Role(
        "eindredacteur",
        gettext_noop("Does what an editor does, keeps sources and vocabularies, and publishes what was approved."),
        (
            READ,
            WRITE,
            (REFERENCE, EVERYTHING),
            (("version",), ("write", "publish")),
            (("auditevent", "searchmiss"), ("view",)),
        ),
    ),
    Role(
        "beheerder",
        gettext_noop("Keeps accounts, roles, seats, criteria, sources and vocabularies. Writes and approves no texts."),
        (
            READ,
            (REFERENCE, EVERYTHING),
            (("user",), EVERYTHING),
            (("group",), ("view",)),
            (("commission", "readabilitynorm"), ("view", "change")),
            (("membership", "criterion", "ratingrule"), ("view", "add", "change")),
            (("auditevent", "outboxmessage", "searchmiss"), ("view",)),
        ),
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


# What both commissions are asked at first; the administrator changes it in the admin.
CRITERIA = {
    Commission.Code.USER: (
        ("Is de tekst toegankelijk?", "Koppen, lijsten, tabellen en beelden werken ook met een schermlezer."),
        ("Is de taal helder?", "Korte, actieve zinnen. Vaktaal staat in de begrippenlijst."),
        ("Kun je er in de klas mee aan de slag?", "De stappen zijn concreet en haalbaar met gewone middelen."),
        ("Herkent iedereen zich erin?", "Voorbeelden en woorden sluiten geen leerlingen of scholen uit."),
    ),
    Commission.Code.SCIENTIFIC: (
        ("Is de vraag duidelijk afgebakend?", "Je ziet voor wie, waar en voor welke uitkomst de tekst geldt."),
        ("Is het onderzoek goed gezocht en gekozen?", "De keuze van de bronnen is verantwoord en niet eenzijdig."),
        ("Kloppen de cijfers?", "Elk cijfer stemt overeen met zijn bron."),
        ("Is de onzekerheid eerlijk getoond?", "Intervallen, aantallen en zwakke plekken staan erbij."),
        ("Zijn tegenspraken tussen studies benoemd?", "Ook studies met een ander resultaat komen aan bod."),
        ("Staan de voorwaarden erbij?", "De tekst zegt wanneer het wel en wanneer het niet werkt."),
    ),
}


def sync_commissions() -> None:
    """The two commissions, with their first criteria if they have none; safe to run again, after every migrate."""
    for code, criteria in CRITERIA.items():
        commission, _created = Commission.objects.get_or_create(code=code)
        if not commission.criteria.exists():
            Criterion.objects.bulk_create(
                Criterion(commission=commission, order=order, text=text, help=help)
                for order, (text, help) in enumerate(criteria)
            )


def role_of(user: User) -> str:
    """The name of the role in which somebody acts for the editors, for the audit trail."""
    groups = set(user.groups.values_list("name", flat=True))
    return next((role.name for role in reversed(ROLES[:3]) if role.name in groups), "")


def may_write(user: User) -> bool:
    return user.has_perm("knowledgebase.write_version")


def may_publish(user: User) -> bool:
    return user.has_perm("knowledgebase.publish_version")


def check_writes(user: User) -> None:
    """Raises NotAllowed to whoever is no editor."""
    if not may_write(user):
        raise NotAllowed(_("Only editors write and submit texts."))


def check_publishes(user: User) -> None:
    """Raises NotAllowed to whoever is no editor in chief."""
    if not may_publish(user):
        raise NotAllowed(_("Only the editor in chief publishes."))


def has_contributed(user: User, version: Version) -> bool:
    """Whether somebody ever wrote in this text, in any version of it."""
    return VersionContributor.objects.filter(version__item=version.item_id, user=user).exists()


def seat_of(user: User, commission: Commission) -> Membership | None:
    """The active seat of somebody in a commission."""
    return Membership.objects.active().filter(user=user, commission=commission).select_related("commission").first()


def is_recused(membership: Membership, round: ReviewRound) -> bool:
    """Whether this person stepped back, from whichever seat: an interest is somebody's, not a seat's."""
    return round.recusals.filter(membership__user=membership.user_id).exists()


def check_independent(user: User, round: ReviewRound, membership: Membership) -> None:
    """Raises NotAllowed to whoever wrote in the text or stepped back from this round."""
    if has_contributed(user, round.version):
        raise NotAllowed(_("You wrote in this text. Who writes in a text never judges it."))
    if is_recused(membership, round):
        raise NotAllowed(_("You stepped back from this round, so you no longer take part in it."))


def chairs(user: User) -> list[Membership]:
    """The seats in which somebody may record decisions."""
    return list(Membership.objects.active().leading().filter(user=user).select_related("commission"))
