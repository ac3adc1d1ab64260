"""What was written in a place while nobody listened: fetched, bounded, compared with the story. It hands nothing in."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import discord

from adapters.discord.ears.gathering import joined
from adapters.discord.ears.past import Handed, deletion, rewording, sources_of
from adapters.discord.ears.telling import REST
from adapters.discord.ears.translate import Heard, Ignored, Listener, Proxied, Said, Why, facts, first_id, sent_at, understood
from adapters.discord.words import channel_of, event_of
from bot.ids import AuthorId, Place
from bot.posts import InboundPost
from bot.story.turn import Turn

PAGE = 100
"""Messages that Discord gives at once, at most."""

LOOKED_OVER = 50
"""How many messages before the bookmark are looked over for edits and deletions."""

TURNS = 3 * LOOKED_OVER
"""How many turns of a story are compared with these: theirs, the replies between them, and those that are newer."""

SCANNED = 4
"""Messages of all kinds that are read for each post that may be caught up with: a story's own posts stand between."""


class Gone(Exception):
    """The place is deleted, or locked."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a place was read: all up to message `done`, and the messages that were last handed in as one post.

    It is kept before these are handed in, so that after a crash at any moment the very same post is made of them again: the
    store then knows whether it has it. `since` is where the story began here: a story that was played elsewhere before is
    made of messages that this place never held.
    """

    since: int
    done: int
    handing: tuple[int, ...] = ()

    @property
    def newest(self) -> int:
        """The newest message that is told of."""
        return max(self.done, *self.handing) if self.handing else self.done

    @property
    def text(self) -> str:
        """The mark as it is kept."""
        return " ".join(str(each) for each in (self.since, self.done, *self.handing))

    @classmethod
    def read(cls, text: str) -> "Mark | None":
        """What was kept; None for what is no mark."""
        words = text.split()
        if len(words) < 2 or not all(word.isascii() and word.isdigit() for word in words):  # noqa: PLR2004  since and done
            return None
        since, done, *handing = (int(word) for word in words)
        return cls(since, done, tuple(handing))


@dataclass(frozen=True, slots=True)
class Room:
    """Where a place stands: its guild (None: a direct message), and the channel that it is a thread of."""

    guild: int | None = None
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """What was found: messages after the mark, and up to it, oldest first, all from `since` on; whether posts were left out."""

    room: Room
    after: tuple[Heard, ...] = ()
    before: tuple[Heard, ...] = ()
    since: int = 0
    is_cut: bool = False


@dataclass(slots=True)
class _Scan:
    """A walk back through a place, newest first: to the mark and a little further, or to the bounds."""

    done: int
    oldest: int
    posts: int
    listener: Listener
    after: list[Heard] = field(default_factory=list)
    before: list[Heard] = field(default_factory=list)
    is_over: bool = False
    is_cut: bool = False
    _found: int = 0

    def take(self, heard: Heard) -> None:
        """One more message."""
        is_post = isinstance(understood(heard, self.listener), Said | Proxied)
        if heard.id <= self.done:
            self.before.append(heard)
            self.is_over = len(self.before) >= LOOKED_OVER
        elif heard.id < self.oldest or self._found >= self.posts or len(self.after) >= SCANNED * self.posts:
            self.is_over = True
            self.is_cut |= is_post
        else:
            self._found += is_post
            self.after.append(heard)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is caught up with at most: posts from this moment on (seconds since the epoch), and so many of them."""

    since: float
    posts: int


async def missed(client: discord.Client, place: Place, mark: Mark, bounds: Bounds, listener: Listener) -> Missed:
    """What a place holds after its mark, and the last messages up to it.

    Raises Gone, and what asking Discord raises.
    """
    room = await _room(client, place)
    scan = _Scan(mark.done, first_id(bounds.since), bounds.posts, listener)
    channel = client.get_partial_messageable(channel_of(place), guild_id=room.guild)
    before: discord.Object | None = None
    while not scan.is_over:
        async with asyncio.timeout(REST):
            page = [message async for message in channel.history(limit=PAGE, before=before)]
        for message in page:
            scan.take(replace(facts(message, listener.user), guild=room.guild, parent=room.parent))
        if len(page) < PAGE:
            break
        before = discord.Object(page[-1].id)
    names = await _names(client, room, scan.after)
    after = tuple(replace(heard, author_name=names.get(heard.author, heard.author_name)) for heard in reversed(scan.after))
    # Where the walk came to the beginning of the place, what is not there any more was lost, however old it was.
    since = min((heard.id for heard in (*scan.after, *scan.before)), default=mark.newest + 1) if scan.is_over else 0
    return Missed(room, after, tuple(reversed(scan.before)), since, scan.is_cut)


async def says_now(client: discord.Client, place: Place, message: int, room: Room, listener: Listener) -> tuple[str, bool]:
    """What a message says now (nothing when it is gone), and whether that can be known. Raises what asking Discord raises."""
    channel = client.get_partial_messageable(channel_of(place), guild_id=room.guild)
    try:
        async with asyncio.timeout(REST):
            found = await channel.fetch_message(message)
    except discord.NotFound:
        return "", True
    return text_of(replace(facts(found, listener.user), guild=room.guild), listener)


def text_of(heard: Heard, listener: Listener) -> tuple[str, bool]:
    """What a message of a post says (nothing: it has no words), and whether that can be known."""
    match understood(heard, listener):
        case Said(said) | Proxied(said):
            return said.content, True
        case Ignored(why):
            return "", why is Why.WORDLESS


def changes(
    turns: Iterable[Turn], waiting: Iterable[InboundPost], found: Missed, mark: Mark, listener: Listener
) -> list[tuple[Handed, str]]:
    """Posts that were changed while nobody listened, and by which event, as far as the messages show it.

    `turns` are the newest of the story, `waiting` posts that are to join it: they were taken in, and not looked at before
    the last run ended.
    """
    now = {heard.id: heard for heard in found.before}
    shown = range(max(mark.since, found.since), mark.newest + 1)
    told = []
    for sources, held in _posts_of(turns, waiting).items():
        event = _event(sources, now, sent_at(mark.newest)) if all(each in shown for each in sources) else None
        texts = [text_of(now[each], listener) if each in now else ("", True) for each in sources]
        is_told = joined(text for text, _ in texts) in {text for _, text in held}
        if event and not is_told and all(is_known for _, is_known in texts):
            says = {each: text for each, (text, _) in zip(sources, texts, strict=True)}
            told.append((Handed(event_of(sources[0]), held[0][0], says), event))
    return told


def _posts_of(
    turns: Iterable[Turn], waiting: Iterable[InboundPost]
) -> Mapping[tuple[int, ...], Sequence[tuple[AuthorId, str]]]:
    """The messages that each post of a player was made of, in order; its author, and its text or the texts of its turns.

    Talk and story of one post are two turns.
    """
    known = [(turn.sources, turn.author or AuthorId(""), turn.text) for turn in turns]
    known += [(sources_of(post), post.author, post.text) for post in waiting]
    posts: dict[tuple[int, ...], list[tuple[AuthorId, str]]] = {}
    for sources, author, text in known:
        if sources and all(source.isdecimal() for source in sources):
            posts.setdefault(tuple(int(source) for source in sources), []).append((author, text))
    return posts


def _event(sources: Sequence[int], now: Mapping[int, Heard], since: float) -> str | None:
    """The id of the event that last changed a post, by the messages that are still there; None when nothing did."""
    edited = [(heard.edited, heard.id) for each in sources if (heard := now.get(each)) and heard.edited]
    latest, message = max(edited, default=(0.0, 0))
    words = [rewording(message, latest)] if latest > since else []
    lost = [each for each in sources if each not in now]
    # Both may have happened, and one of them may be known: only both together tell what the post says now.
    return "/".join(words + ([deletion(lost)] if lost else [])) or None


async def _room(client: discord.Client, place: Place) -> Room:
    try:
        async with asyncio.timeout(REST):
            # Asked for as it is, not as the library sees it: that needs the guild, which may still be on its way.
            channel: Mapping[str, Any] = await client.http.get_channel(channel_of(place))
    except discord.NotFound:
        raise Gone from None
    if channel.get("thread_metadata", {}).get("locked"):
        raise Gone
    guild, parent = channel.get("guild_id"), channel.get("parent_id")
    return Room(int(guild) if guild else None, int(parent) if parent else None)


async def _names(client: discord.Client, room: Room, messages: Iterable[Heard]) -> Mapping[int, str]:
    """The names that a guild knows people by: old messages, unlike new ones, come without them."""
    people = {heard.author for heard in messages if heard.webhook is None and not heard.is_bot}
    return {person: name for person in people if room.guild and (name := await _nick(client, room.guild, person))}


async def _nick(client: discord.Client, guild: int, person: int) -> str | None:
    try:
        async with asyncio.timeout(REST):
            member = await client.http.get_member(guild, person)
    except (discord.HTTPException, TimeoutError):
        # They left, or it cannot be known now: the name that they chose for all is right as well.
        return None
    return member.get("nick")
