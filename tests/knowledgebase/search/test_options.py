from knowledgebase.search.options import Group, Option


def test_a_branch_without_anything_to_choose_stays_closed():
    narrow = Option("b", "B", 0, chosen=False, depth=1)
    group = Group("niveau", "Niveau", [Option("a", "A", 3, chosen=False), narrow])
    assert group.open_branches == set()


def test_below_an_option_that_leaves_nothing_only_what_is_chosen_is_listed():
    def option(value, depth, count=0, *, chosen=False):
        return Option(value, value.upper(), count, chosen=chosen, depth=depth)

    group = Group(
        "niveau",
        "Niveau",
        [
            option("a", 0, 2), option("b", 1), option("c", 2), option("d", 1, 2), option("e", 2),
            option("f", 0), option("g", 1), option("h", 1, chosen=True), option("i", 2), option("j", 0),
        ],
    )  # fmt: skip
    assert [(top.value, [option.value for option in narrower]) for top, narrower in group.branches] == [
        ("a", ["b", "d", "e"]), ("f", ["h"]), ("j", []),
    ]  # fmt: skip
