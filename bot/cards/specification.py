"""The JSON of a card, in any of its three specifications, as a character, and back. It knows no file formats.

Rule: a card's `source` is the whole object in the form of V3. Writing changes in it only what differs from what reading it
gives, so all that we do not understand, or have mended, goes out as it came in.
"""

from typing import Final

from bot.cards.fields import Notes, text, texts
from bot.cards.jsontext import Object, canonical, measure, object_at, parse_object
from bot.cards.limits import GREETINGS, RAW_NAME_LENGTH
from bot.cards.lorebooks import lorebook_to, noted_lorebook
from bot.cleaning import clean_name, mended_name, one_line
from bot.errors import Refused
from bot.story.card import CharacterCard
from bot.story.lorebook import Lorebook
from bot.story.policy import Rating

V2, V3 = "chara_card_v2", "chara_card_v3"

_V1_FIELDS = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
_EMPTY: Final[Object] = {
    **dict.fromkeys(_V1_FIELDS, ""),
    "creator_notes": "",
    "system_prompt": "",
    "post_history_instructions": "",
    "alternate_greetings": [],
    "tags": [],
    "creator": "",
    "character_version": "",
    "extensions": {},
    "group_only_greetings": [],
}
"""What a V3 card has to have."""

_OWN = "understudy"


def upgraded(found: Object) -> Object:
    """A card of V1, V2 or V3 as an object of V3 with all the fields that it has to have. Raises Refused for anything else."""
    data = object_at(found, "data")
    if "entries" in (found if data is None else data):
        raise Refused("This file is a lorebook, not a character; add it as a lorebook.")
    if data is None:
        if not isinstance(found.get("name"), str) or not any(field in found for field in _V1_FIELDS[1:]):
            raise Refused("This JSON is no character card; export the character as V1, V2 or V3 card and send that.")
        data = {field: found[field] for field in _V1_FIELDS if field in found}
    # Newer cards repeat the V1 fields outside, for old readers; the ones inside are the card.
    beside = {key: value for key, value in found.items() if key not in {*_V1_FIELDS, "spec", "spec_version", "data"}}
    return {"spec": V3, "spec_version": "3.0", "data": {**_EMPTY, **data}, **beside}


def card_from(source: Object, notes: Notes) -> CharacterCard:
    """The character that an upgraded object describes. Raises Refused when it has no name or is larger than the limits."""
    data = object_at(source, "data") or {}
    name = _name(data, "name", notes)
    if not name:
        raise Refused("This card's character has no name that can be shown; give it one and send the card again.")
    text_of_source = canonical(source)
    measure(text_of_source)
    return CharacterCard(
        name=name,
        description=text(data, "description", notes),
        greeting=text(data, "first_mes", notes),
        rating=_rating(data),
        personality=text(data, "personality", notes),
        scenario=text(data, "scenario", notes),
        alternate_greetings=texts(data, "alternate_greetings", notes, GREETINGS),
        examples=text(data, "mes_example", notes),
        system_prompt=text(data, "system_prompt", notes),
        post_history=text(data, "post_history_instructions", notes),
        nickname=_name(data, "nickname", notes),
        book=_book(data, notes),
        source=text_of_source,
    )


def object_of(card: CharacterCard) -> Object:
    """The card as an object of V3. Raises Refused when what it was read from is no card."""
    source = upgraded(parse_object(card.source) if card.source else {"data": {"name": card.name}})
    data = object_at(source, "data") or {}
    before = card_from(source, Notes())
    new: Object = {
        key: value
        for key, value, known in (
            ("name", card.name, before.name),
            ("description", card.description, before.description),
            ("first_mes", card.greeting, before.greeting),
            ("personality", card.personality, before.personality),
            ("scenario", card.scenario, before.scenario),
            ("alternate_greetings", card.alternate_greetings, before.alternate_greetings),
            ("mes_example", card.examples, before.examples),
            ("system_prompt", card.system_prompt, before.system_prompt),
            ("post_history_instructions", card.post_history, before.post_history),
        )
        if value != known
    }
    if card.nickname != before.nickname:
        new["nickname"] = card.nickname or None
    if card.book != before.book:
        new["character_book"] = lorebook_to(card.book) if card.book else None
    if card.rating is not before.rating:
        new["extensions"] = _rated(object_at(data, "extensions") or {}, card.rating)
    written = {key: value for key, value in {**data, **new}.items() if value is not None or key not in new}
    return {**source, "data": written}


def _name(data: Object, key: str, notes: Notes) -> str:
    """A name that can stand before a colon, mended where it could not; empty when nothing of it can be seen."""
    given = text(data, key, notes, RAW_NAME_LENGTH)
    name = mended_name(given)
    if not name:
        return ""
    if name != one_line(given):
        notes.add(f"The {key} was changed to {name}, so that it can stand before a colon.")
    return clean_name(name)


def _rating(data: Object) -> Rating:
    """What this program wrote into the card; no other field of a card tells an audience that could be relied on."""
    own = object_at(object_at(data, "extensions") or {}, _OWN) or {}
    rating = own.get("rating")
    return Rating(rating) if isinstance(rating, str) and rating in set(Rating) else Rating.UNRATED


def _rated(extensions: Object, rating: Rating) -> Object:
    return {**extensions, _OWN: {**(object_at(extensions, _OWN) or {}), "rating": rating.value}}


def _book(data: Object, notes: Notes) -> Lorebook | None:
    found = data.get("character_book")
    if found is None:
        return None
    if isinstance(found, dict):
        return noted_lorebook(found, notes)
    notes.add("The card's lorebook is not one and was left out.")
    return None
