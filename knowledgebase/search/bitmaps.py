"""Sets of small whole numbers as the bits of one integer: filters are an `&`, counting is counting bits."""

from collections.abc import Iterable


def bits_of(numbers: Iterable[int]) -> int:
    """A set as its bits."""
    members = list(numbers)
    data = bytearray((max(members) >> 3) + 1 if members else 0)
    for number in members:
        data[number >> 3] |= 1 << (number & 7)
    return from_bytes(data)


def to_bytes(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def from_bytes(data: bytes | bytearray | memoryview) -> int:
    return int.from_bytes(bytes(data), "little")


def positions(bits: int, listed: Iterable[int], start: int, stop: int) -> list[int]:
    """Where in a list the members of a set stand: from the member at place `start` to before that at `stop`."""
    data = to_bytes(bits)
    size, seen, found = len(data) * 8, 0, []
    for position, number in enumerate(listed):
        if seen >= stop:
            break
        if number < size and data[number >> 3] >> (number & 7) & 1:
            if seen >= start:
                found.append(position)
            seen += 1
    return found
