"""What a place must be told so that it shows what the story holds: pure differences between two ordered sets of posts."""

from collections.abc import Sequence

from bot.ids import EventId, Place, PostKey
from bot.ports.store import Removal, Wish
from bot.posts import OutboundPost, Speaker, Voice
from bot.story.session import Session
from bot.story.turn import Turn

MACHINERY = Speaker(Voice.MACHINERY, "Understudy")


def wishes_for(session: Session, turn: Turn, posts: Sequence[str]) -> tuple[Wish, ...]:
    """What changes when `turn`, shown as `turn.posts`, shall be shown as `posts`: only positions that differ."""
    shows = tuple(
        OutboundPost(
            key=_key(session, turn, position),
            place=session.place,
            turn=turn.number,
            position=position,
            variant=turn.selected,
            speaker=Speaker(Voice.CHARACTER, turn.name),
            text=text,
        )
        for position, text in enumerate(posts)
        if position >= len(turn.posts) or turn.posts[position] != text
    )
    return (*shows, *removals_for(session, turn, len(posts)))


def removals_for(session: Session, turn: Turn, start: int = 0) -> tuple[Removal, ...]:
    """What takes away the posts of a turn from position `start` on."""
    return tuple(
        Removal(_key(session, turn, position), session.place, turn.number, position)
        for position in range(start, len(turn.posts))
    )


def notice(session: Session, text: str, about: str) -> OutboundPost:
    """A sentence of the program itself, after the newest turn. `about` makes its key: the same matter is said once."""
    turn = session.last.number if session.last else 0
    key = PostKey(f"{session.id}/notice/{about}")
    return OutboundPost(key, session.place, turn, None, 0, MACHINERY, text)


def notice_without_session(place: Place, text: str, event: EventId) -> OutboundPost:
    """A sentence of the program itself in a place that has no story."""
    return OutboundPost(PostKey(f"{place.platform}/notice/{event}"), place, 0, None, 0, MACHINERY, text)


def _key(session: Session, turn: Turn, position: int) -> PostKey:
    # The version makes the key new for every change: a post taken away and shown again later is another sending.
    return PostKey(f"{session.id}/{turn.number}/{turn.selected}/{position}/{session.version}")
