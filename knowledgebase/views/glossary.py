from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from knowledgebase.models import Concept, ConceptLabel, Scheme
from knowledgebase.search import fold


@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    other = ConceptLabel.objects.filter(
        relation__in=[ConceptLabel.Relation.ALTERNATIVE, ConceptLabel.Relation.ABBREVIATION]
    )
    terms = Concept.objects.in_scheme(Scheme.TERM).prefetch_related(Prefetch("labels", other, to_attr="other_labels"))
    ordered = sorted(terms, key=lambda term: fold(str(term)))
    return render(request, "knowledgebase/glossary.html", {"terms": ordered})
