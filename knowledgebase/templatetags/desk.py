from django import template

from knowledgebase.editorial.desk import name_of

register = template.Library()

register.filter("person", name_of)
