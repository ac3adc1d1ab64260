"""Makers of what the contract of the store is tested with."""

from dataclasses import replace
from itertools import count

from bot.ids import AuthorId, ChannelKey, MessageId, Place, Platform, PostKey
from bot.ports.store import Change, Delivery, Store, Wish
from bot.posts import OutboundPost, Speaker, Voice
from bot.story import acts as story
from bot.story.persona import Persona
from bot.story.session import Session, with_turn
from bot.story.turn import VariantState
from tests.builders import HERE, TOBIAS, a_post, a_session

ELSEWHERE = Place(Platform("test"), ChannelKey("thread-2"))
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
