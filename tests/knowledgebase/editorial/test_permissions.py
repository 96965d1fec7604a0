import pytest
from django.contrib.auth.models import Group, Permission

from knowledgebase.editorial.permissions import ROLES, TEXTS, sync_roles
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def may(role, permission):
    return make_user(role=role).has_perm(permission)


def test_every_role_exists_after_migrate_with_something_to_read():
    assert set(Group.objects.values_list("name", flat=True)) == {role.name for role in ROLES}
    for role in ROLES:
        assert role.description
        assert may(role.name, "practices.view_practiceversion")


@pytest.mark.parametrize(
    ("role", "yes", "no"),
    [
        (
            "redacteur",
            ["practices.add_practice", "practices.change_practiceversion", "practices.add_evidencerating",
             "knowledgebase.change_summaryversion", "knowledgebase.add_source", "knowledgebase.add_conceptlink"],
            ["knowledgebase.change_source", "knowledgebase.change_concept", "knowledgebase.publish_version",
             "knowledgebase.change_user"],
        ),
        (
            "eindredacteur",
            ["practices.change_practiceversion", "knowledgebase.change_source", "knowledgebase.delete_concept",
             "knowledgebase.publish_version"],
            ["knowledgebase.change_user", "auth.change_group"],
        ),
        (
            "beheerder",
            ["knowledgebase.add_user", "auth.view_group", "knowledgebase.change_concept"],
            ["auth.change_group", "practices.change_practiceversion", "knowledgebase.change_summaryversion",
             "knowledgebase.publish_version"],
        ),
        (
            "voorzitter",
            ["knowledgebase.view_themeversion", "practices.view_externalverdict"],
            ["practices.change_practiceversion", "knowledgebase.publish_version", "knowledgebase.change_concept"],
        ),
        (
            "lid",
            ["knowledgebase.view_pageversion"],
            ["practices.change_practiceversion", "knowledgebase.publish_version", "knowledgebase.add_source"],
        ),
    ],
)  # fmt: skip
def test_what_a_role_may(role, yes, no):
    user = make_user(role=role)
    assert [permission for permission in yes if not user.has_perm(permission)] == []
    assert [permission for permission in no if user.has_perm(permission)] == []


def test_an_account_without_a_role_may_nothing():
    assert make_user().get_all_permissions() == set()


def test_the_names_of_the_roles_are_of_things_that_exist():
    codenames = set(Permission.objects.values_list("codename", flat=True))
    for role in ROLES:
        for models, deeds in role.grants:
            assert {f"{deed}_{model}" for model in models for deed in deeds} <= codenames
    assert len(TEXTS) == 8


def test_syncing_again_gives_back_what_was_taken_and_takes_what_was_given():
    group = Group.objects.get(name="lid")
    before = set(group.permissions.all())
    group.permissions.set([Permission.objects.get(codename="change_user")])
    sync_roles()
    assert set(group.permissions.all()) == before
