"""Makers of what the contract of the store is tested with."""

from dataclasses import replace
from itertools import count

from bot.ids import AuthorId, ChannelKey, EventId, MessageId, Place, Platform, PostKey, SessionId
from bot.ports.store import Change, Delivery, Store, Wish
from bot.posts import OutboundPost, Speaker, Voice
from bot.story import acts as story
from bot.story.card import CharacterCard
from bot.story.dice import DiceRoll
from bot.story.lorebook import Lorebook, LoreEntry, LorePosition
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session, with_turn
from bot.story.settings import Length, SessionSettings, SpeakerPolicy, TurnPolicy
from bot.story.table import Link, LinkKind, Memory
from bot.story.table import Table as PlayersTable
from bot.story.turn import Role, Turn, Variant, VariantState
from tests.builders import HERE, MIRA, TOBIAS, a_post, a_session

ELSEWHERE = Place(Platform("test"), ChannelKey("thread-2"))
OTHER_PLATFORM = Place(Platform("other"), HERE.channel)
ANN = Persona(AuthorId("author-2"), "Ann")
CHARACTER = Speaker(Voice.CHARACTER, "Mira")


def shown(key: str, turn: int = 0, position: int | None = 0, text: str = "A post.", place: Place = HERE) -> OutboundPost:
    return OutboundPost(PostKey(key), place, turn, position, 0, CHARACTER, text)


async def begun(store: Store, **changes: object) -> Session:
    return await store.save(Change(None, story.greet(a_session(**changes))))


async def with_exchanges(store: Store, count: int) -> Session:
    """A story of a greeting and this many exchanges, turns 0 to 2 * count."""
    session = story.greet(a_session())
    for number in range(count):
        session = story.open_reply(story.add_post(session, TOBIAS, f"Post {number}."), seed=number)
        session = finished(session, f"Reply {number}.")
    return await store.save(Change(None, session))


def finished(session: Session, text: str, *posts: str) -> Session:
    turn = session.turns[-1]
    variant = replace(turn.variant, text=text, state=VariantState.WHOLE, token_ids=(1, 2, 32_000))
    return with_turn(session, replace(turn.with_variant(variant), posts=posts))


def whole() -> Session:
    """A session in which every field of every value is something else than its default."""
    entry = LoreEntry(
        'The bell "Old Tom" rings.',
        *(("bell", "b.ll"), ("Tom",), False, True, True, True, True, 7, 3),
        *(LorePosition.AFTER_CHARACTER, "bell", "a comment", '{"other": [1]}'),
    )
    book = Lorebook((entry,), "Bells", "Of bells.", 4, 300, recursive=True, extensions="{}")
    card = CharacterCard(
        *("Mira", "An innkeeper.", "Good evening.", Rating.ADULT, "dry", "An inn.", ("Hm?", "Yes?"), "<START>\nMira: Hm."),
        *("Write.", "Stay.", "Mi", book, '{"spec": "chara_card_v3"}'),
    )
    variants = (
        Variant("One.", VariantState.STOPPED, (), None, 2**64 - 1, is_cut=True, begun=2),
        Variant("Two.", VariantState.BROKEN, (0, 1, 2**32 - 1), Length.HUGE, 7),
    )
    roll = DiceRoll("Tobias", "2d6+2", "2d6 (3, 5) + 2", 10, "to open the door")
    said = Turn(
        *(4, Role.PLAYER, "Tobias", (Variant("Hm."),), 0, TOBIAS.author, ()),
        *((EventId("m-1"), EventId('m-"2"')), (roll,), '{"mes": "Hm."}'),
    )
    return a_session(
        character=card,
        others=(replace(MIRA, name="Ann"), replace(MIRA, name="Bert", book=Lorebook())),
        personas=(TOBIAS, ANN),
        settings=SessionSettings(None, "m-7b", True, TurnPolicy.IN_ORDER, SpeakerPolicy.BY_TURN, 3600, True),
        rating=Rating.ADULT,
        turns=(
            Turn(0, Role.CHARACTER, "Mira", variants, selected=1, posts=("Tw", "o.")),
            said,
            Turn(5, Role.ASIDE, "Ann", (Variant("(brb)"),), author=ANN.author),
        ),
        next_number=6,
        memory=Memory("A note.", 2, ("A fact.", "Another."), "Before.", 3, (book, Lorebook())),
        table=PlayersTable(("spiders",), ("blood",), True, (AuthorId("author-9"),), TOBIAS.author),
        came_from=Link(LinkKind.PART, SessionId("part-1"), ELSEWHERE, 12),
        goes_on_in=(Link(LinkKind.BRANCH, SessionId("branch"), ELSEWHERE, 4), Link(LinkKind.PART, SessionId("p"), HERE, 5)),
        locked=True,
    )


async def queued(store: Store, *wishes: Wish) -> None:
    asking = a_post(event=f"asking-{next(_events)}")
    await store.receive(asking)
    await store.dismiss(HERE, asking.event, wishes)


_events = count()


async def claimed(store: Store, place: Place = HERE) -> Delivery:
    delivery = await store.claim(place, now=0.0)
    assert delivery is not None
    return delivery


async def bring(store: Store, wish: Wish, message: str | None) -> None:
    await queued(store, wish)
    delivery = await claimed(store, wish.place)
    assert delivery.wish == wish
    await store.attempt(delivery.id)
    await store.settle(delivery.id, None if message is None else MessageId(message))
