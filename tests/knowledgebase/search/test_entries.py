import pytest

from knowledgebase.models import Concept
from knowledgebase.search.entries import broader_chains
from tests.factories import make_concept


@pytest.mark.django_db
def test_a_circle_in_the_vocabulary_ends():
    one = make_concept("niveau", "een")
    two = make_concept("niveau", "twee", broader=one)
    Concept.objects.filter(pk=one.pk).update(broader=two)
    assert broader_chains()[one.pk] == ["niveau:een", "niveau:twee"]
