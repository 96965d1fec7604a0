import pytest

from knowledgebase.models import SearchIndex
from knowledgebase.search import analysis
from knowledgebase.search.checks import check_index
from tests.factories import make_practice


@pytest.mark.django_db
def test_the_check_says_when_an_index_is_missing_or_old():
    assert check_index(["default"]) == []
    make_practice()
    assert check_index(["default"]) == []
    SearchIndex.objects.update(analysis_version="0")
    assert [warning.id for warning in check_index(["default"])] == ["knowledgebase.W002"]
    SearchIndex.objects.update(analysis_version=analysis.version())
    assert check_index(["default"]) == []
    SearchIndex.objects.update(is_live=False)
    assert [warning.id for warning in check_index(["default"])] == ["knowledgebase.W002"]
