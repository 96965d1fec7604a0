from django import template
register = template.Library()
@register.simple_tag
def json_ld(data): return ""
