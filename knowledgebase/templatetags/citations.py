from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from knowledgebase.citations import Reference, Run
from knowledgebase.citations import apa as apa_runs
from knowledgebase.models import Source

register = template.Library()


@register.filter
def apa(publication: Source | Reference) -> SafeString:
    """A reference in APA 7: what is emphasised, the language of its title, and its link."""
    reference = publication if isinstance(publication, Reference) else Reference.of_source(publication)
    return mark_safe("".join(map(_html, apa_runs(reference))))  # noqa: S308  # escaped by format_html


def _html(run: Run) -> SafeString:
    html = format_html("{}", run.text)
    if run.href:
        html = format_html('<a href="{}" rel="noopener">{}</a>', run.href, html)
    if run.lang:
        html = format_html('<span lang="{}">{}</span>', run.lang, html)
    if run.emphasised:
        html = format_html("<strong>{}</strong>", html)
    return html
