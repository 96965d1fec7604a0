import json

from django.template import Context, Template

from knowledgebase.templatetags.structured_data import json_ld


def test_data_is_a_block_that_is_never_run():
    assert json_ld({"@type": "Thing", "name": "Één"}) == (
        '<script type="application/ld+json">{"@type":"Thing","name":"Één"}</script>'
    )


def test_nothing_in_the_data_ends_the_block_and_all_of_it_comes_back():
    hostile = {"name": "</script><script>alert('1')</script> <!-- & \u2028 \\u003c \" '"}
    html = json_ld(hostile)
    inner = html.removeprefix('<script type="application/ld+json">').removesuffix("</script>")
    assert not set(inner) & set("<>&\u2028")
    assert json.loads(inner) == hostile


def test_no_data_no_block():
    template = Template("{% load structured_data %}{% json_ld data %}|{% json_ld missing %}")
    assert template.render(Context({"data": None})) == "|"
