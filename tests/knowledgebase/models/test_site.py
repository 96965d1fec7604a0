import pytest
from django.db import IntegrityError, transaction

from knowledgebase.models import SiteState

pytestmark = pytest.mark.django_db


def test_an_empty_database_stands_at_zero():
    state = SiteState.current()
    assert (state.content_version, state.content_key, state._state.adding) == (0, "0", True)


def test_every_touch_makes_the_number_and_the_moment_later():
    SiteState.touch()
    first = SiteState.current()
    SiteState.touch()
    second = SiteState.current()
    assert (first.content_version, second.content_version) == (1, 2)
    assert second.changed_at > first.changed_at
    assert str(second) == "2"


def test_what_was_rolled_back_is_no_key_of_what_comes_after():
    SiteState.touch()
    keys = [SiteState.current().content_key]
    for _time in range(2):
        with transaction.atomic():
            SiteState.touch()
            state = SiteState.current()
            keys.append(state.content_key)
            transaction.set_rollback(True)
        assert state.content_version == 2
    assert len(set(keys)) == 3
    assert SiteState.current().content_key == keys[0]


def test_touch_is_one_query(django_assert_num_queries):
    SiteState.touch()
    with django_assert_num_queries(1):
        SiteState.touch()


def test_there_is_one_row():
    SiteState.touch()
    with pytest.raises(IntegrityError, match="site_state_has_one_row"):
        SiteState.objects.create(pk=2)
