import random

import pytest

from konsilium.adapters.ciphering import (
    HEAD,
    PIECE,
    TAG,
    NotGenuine,
    decipher,
    encipher,
    enciphered_size,
    new_key,
)

SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17]


def content(size):
    return random.Random(size).randbytes(size)


def sealed(plain, key, chunk=10_000):
    return b"".join(encipher((plain[i : i + chunk] for i in range(0, len(plain), chunk)), key))


def reader(stored):
    return lambda offset, length: stored[offset : offset + length]


def opened(stored, key, size, **part):
    return b"".join(decipher(reader(stored), key, size=size, **part))


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out_whatever_its_size(size):
    plain, key = content(size), new_key()
    stored = sealed(plain, key)
    assert len(stored) == enciphered_size(size)
    assert opened(stored, key, size) == plain


def test_any_part_is_read_alone():
    size, key = 3 * PIECE + 17, new_key()
    plain = content(size)
    stored = sealed(plain, key)
    dice = random.Random(4)
    for _ in range(200):
        start, length = dice.randrange(size), dice.randrange(1, 2 * PIECE)
        assert opened(stored, key, size, start=start, length=length) == plain[start : start + length]


def test_the_same_content_is_never_the_same_twice():
    plain = content(1000)
    assert sealed(plain, new_key()) != sealed(plain, new_key())


def test_nothing_of_the_content_stands_in_the_stored_bytes():
    plain = b"a recorded voice " * 1000
    assert b"recorded" not in sealed(plain, new_key())


def test_another_key_opens_nothing():
    with pytest.raises(NotGenuine):
        opened(sealed(content(100), new_key()), new_key(), 100)


def swapped(stored):
    first, second = HEAD, HEAD + PIECE + TAG
    third = second + PIECE + TAG
    return stored[:first] + stored[second:third] + stored[first:second] + stored[third:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: bytes([stored[0] ^ 1]) + stored[1:],
        lambda stored: stored[:10] + bytes([stored[10] ^ 1]) + stored[11:],
        lambda stored: stored[:-1] + bytes([stored[-1] ^ 1]),
        lambda stored: stored[: HEAD + 50] + bytes([stored[HEAD + 50] ^ 1]) + stored[HEAD + 51 :],
        lambda stored: stored[:-1],
        lambda stored: stored[: HEAD + 2 * (PIECE + TAG)],
        swapped,
    ],
    ids=["mark", "head", "last tag", "content", "cut", "cut at a piece", "swapped"],
)
def test_a_changed_cut_or_reordered_file_does_not_open(spoil):
    size, key = 3 * PIECE, new_key()
    stored = spoil(sealed(content(size), key))
    with pytest.raises(NotGenuine):
        opened(stored, key, size)


def test_a_file_cut_at_a_piece_does_not_pass_for_a_shorter_one():
    size, key = 3 * PIECE, new_key()
    stored = sealed(content(size), key)[: HEAD + 2 * (PIECE + TAG)]
    with pytest.raises(NotGenuine):
        opened(stored, key, 2 * PIECE)
