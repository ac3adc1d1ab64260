"""Card files that were damaged in many ways, the same ones for the same seed."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from tests.cards.files import BOOK, JPEG, V1, V2, V3, WEBP, as_json, charx, chunk, png, text_chunk

WORLD = {"entries": {"0": {"uid": 0, "key": ["a"], "keysecondary": [], "content": "b", "position": 4, "depth": 2, "order": 9}}}
CARDS = (V1, V2, V3)
BOOKS = (BOOK, WORLD, {"spec": "lorebook_v3", "data": BOOK})
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 10**400, "", "\x00", "\ud800", "x" * 2000, [], {}, [[]], {"": {}}, "embeded://card.json",
)  # fmt: skip
ODD_NUMBERS = (bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\0\0\0", b"\0\0\0\x01", b"PK\x01\x02")


def mutated(kind: str, count: int, seed: int) -> Iterator[bytes]:
    """So many files that were made from whole ones of this kind."""
    chance = random.Random(seed)  # noqa: S311 no secret
    whole = (*CARDS, *BOOKS) if kind == "json" else CARDS
    seeds = [make(each) for make in MAKERS[kind] for each in whole]
    for number in range(count):
        if number % 2 == 0:
            yield chance.choice(MAKERS[kind])(_odd_object(chance.choice(whole), chance))
            continue
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            chance.choice(DAMAGES)(data, chance, chance.choice(seeds))
        yield bytes(data)


def _odd_object(whole: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """An object whose form is whole and some of whose values are of another kind."""
    card: dict[str, Any] = deepcopy(whole)
    for _ in range(chance.randint(1, 6)):
        place: Any = card
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = chance.choice(keys)
            if isinstance(place[key], dict | list) and place[key] and chance.random() < 0.8:
                place = place[key]
                continue
            place[key] = deepcopy(chance.choice(ODD_VALUES))
            break
    return card


def _flip(data: bytearray, chance: random.Random, _: bytes) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def _cut_out(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + chance.choice((1, 4, 30, 1000))]


def _cut_off(data: bytearray, chance: random.Random, _: bytes) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _insert(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.randbytes(chance.choice((1, 4, 64)))


def _repeat(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    piece = data[at : at + chance.choice((1, 12, 46, 200))]
    data[at:at] = piece * chance.choice((1, 2, 50))


def _odd_number(data: bytearray, chance: random.Random, _: bytes) -> None:
    at = chance.randrange(len(data) + 1)
    data[at : at + 4] = chance.choice(ODD_NUMBERS)


def _splice(data: bytearray, chance: random.Random, other: bytes) -> None:
    at, there = chance.randrange(len(data) + 1), chance.randrange(len(other))
    data[at : at + 200] = other[there : there + 200]


DAMAGES = (_flip, _cut_out, _cut_off, _insert, _repeat, _odd_number, _splice)
MAKERS: dict[str, tuple[Callable[[dict[str, Any]], bytes], ...]] = {
    "png": (
        lambda card: png(text_chunk("chara", V1), text_chunk("ccv3", card)),
        lambda card: png(chunk(b"acTL", bytes(8)), text_chunk("chara", card), chunk(b"zTXt", b"a\0\0x")),
    ),
    "json": (as_json,),
    "zip": (
        lambda card: charx(card, assets__icon__main_png=png(text_chunk("chara", V1))),
        lambda card: charx(card, assets__icon__main_png=JPEG, assets__other__face_webp=WEBP),
    ),
}
