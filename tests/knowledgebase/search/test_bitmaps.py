from knowledgebase.search.bitmaps import bits_of, from_bytes, positions, to_bytes


def test_a_set_is_the_bits_of_a_number():
    assert bits_of([3, 0, 9]) == 0b10_0000_1001
    assert bits_of([]) == 0


def test_a_set_is_kept_as_bytes():
    assert to_bytes(bits_of([3, 0, 9])) == b"\x09\x02"
    assert from_bytes(memoryview(b"\x09\x02")) == bits_of([3, 0, 9])
    assert (to_bytes(0), from_bytes(b"")) == (b"", 0)


def test_members_are_found_where_they_stand_in_a_list():
    assert positions(bits_of([3, 0, 9]), [9, 1, 700, 0, 3], 0, 10) == [0, 3, 4]
    assert positions(bits_of([3, 0, 9]), [9, 1, 700, 0, 3], 1, 2) == [3]
    assert positions(0, [9, 1], 0, 10) == []
