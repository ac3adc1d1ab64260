"""What people do to a bot in a day, by dice: they post, change their mind, ask for everything, come and go."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from adapters.web.courier import WEB
from adapters.wiring import House
from bot.cards.writing import write_json
from bot.errors import Refused
from bot.flow.commanding import Commanding
from bot.ids import AuthorId, ChannelKey, EventId, Place
from bot.posts import Command, Deleted, Edited, Inbound, InboundPost
from bot.story.card import CharacterCard
from bot.story.policy import Rating
from tests.walks.day_parts import TOWN, TownCourier

Values = dict[str, str | int]

CARDS = ("Mira", "Joren", "Hester")
PEOPLE = 40
"""So many play in a town; each story has a few of them."""

STEPS = 30
"""What is done in a place on average until its story ends, and another begins elsewhere."""

LANE: Sequence[tuple[int, str, Values]] = (
    (12, "retry", {}),
    (6, "swipe", {"side": "left"}),
    (4, "swipe", {"side": "right"}),
    (4, "continue", {}),
    (3, "shorter", {}),
    (2, "longer", {}),
    (5, "undo", {}),
    (4, "edit", {"turn": 1, "text": "Somebody came in, soaked to the skin."}),
    (2, "delete", {"turn": 1}),
    (2, "rewind", {"turn": 3}),
    (3, "ooc", {"text": "I am away for an hour."}),
    (3, "roll", {"dice": "2d6+1", "reason": "picking the lock"}),
    (2, "length", {"length": "short"}),
    (2, "settings", {"nudge": 60}),
    (2, "settings", {"turns": "every_post", "summaries": "on"}),
    (2, "note", {"text": "It is cold."}),
    (2, "pin", {"text": "The key is lost."}),
    (2, "lines add", {"text": "harm to animals"}),
    (1, "lines remove", {"number": 1}),
    (2, "persona set", {"name": "Wanderer", "description": "Nobody knows whence."}),
    (2, "persona clear", {}),
    (2, "pause", {}),
    (4, "unpause", {}),
    (2, "branch", {"turn": 1}),
    (1, "part", {"summary": "They reached the inn."}),
    (1, "summary make", {}),
    (1, "character add", {"character": "Joren"}),
    (1, "character remove", {"character": "Joren"}),
)
"""How often of all, the command, and its values: what is carried out in a place's lane."""

DESK: Sequence[tuple[int, str, Values]] = (
    (6, "status", {}),
    (3, "why", {}),
    (3, "export", {"format": "markdown"}),
    (2, "export", {"format": "epub"}),
    (2, "export", {"format": "jsonl"}),
    (2, "export", {"format": "card"}),
    (3, "help", {}),
    (3, "persona show", {}),
    (2, "persona default", {}),
    (2, "privacy show", {}),
    (1, "privacy export", {}),
    (3, "character list", {}),
    (2, "character show", {"character": "Mira"}),
    (2, "report", {"reason": "It is too sad."}),
    (1, "stop", {}),
)
"""Likewise what is answered at once."""


@dataclass(slots=True)
class Spot:
    """A place where a story stands, who plays there, and what they posted last."""

    place: Place
    people: list[AuthorId]
    newest: InboundPost | None = None


@dataclass(slots=True)
class Town:
    """Everybody who plays. `live` are the places that have a story now."""

    house: House
    courier: TownCourier
    chance: Random
    wanted: int
    live: list[Spot] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    _events: int = 0
    _places: int = 0
    _commanding: Commanding = field(init=False)

    def __post_init__(self) -> None:
        self._commanding = Commanding(self.house.service.receiver)

    async def bring_cards(self) -> None:
        """The characters that are played here."""
        for name in CARDS:
            await self._import_card(self._somebody(), name)

    async def fill(self) -> None:
        """Begin stories until there are as many as there should be."""
        while len(self.live) < self.wanted:
            await self._begin()

    async def act(self, spot: Spot) -> None:
        """Something happens in a place, and comes to its end there."""
        acts: Sequence[tuple[int, Callable[[Spot], Awaitable[None]]]] = (
            (75, self._post),
            (12, self._command),
            (4, self._touch),
            (4, self._ask),
            (3, self._change),
            (2, self._come_again),
            (1, self._bring),
        )
        if self.chance.random() < 1 / STEPS:
            await self._end(spot)
            return
        act = self.chance.choices([each for _, each in acts], [often for often, _ in acts])[0]
        try:
            await act(spot)
        except Refused as refused:
            self.refused[str(refused)] += 1
        await self.house.service.receiver.settled(spot.place)

    async def close(self) -> None:
        """Nothing more is asked for."""
        await self._commanding.close()

    async def _begin(self) -> None:
        self._places += 1
        place = Place(self.chance.choice((WEB, TOWN, TOWN)), ChannelKey(f"thread-{self._places}"))
        people = [self._somebody() for _ in range(self.chance.randint(1, 4))]
        command = self._asks(place, people[0], "start", {"character": self.chance.choice(CARDS), "length": "short"})
        await self.house.service.desk.answer(command)
        self.live.append(Spot(place, people))
        self.done["start"] += 1

    async def _end(self, spot: Spot) -> None:
        """A story ends: its people end it, or its thread is deleted; sometimes it is brought back."""
        self.live.remove(spot)
        way = self.chance.randrange(4)
        self.done["end"] += 1
        if way == 0 and spot.place.platform == TOWN:
            self.courier.gone.add(spot.place)
            await self.house.service.receiver.place_gone(spot.place)
            await self.house.service.receiver.settled(spot.place)
            self.courier.gone.discard(spot.place)
            return
        await self._answered(self._asks(spot.place, spot.people[0], "end", {}))
        if way == 1:
            await self._answered(self._asks(spot.place, spot.people[0], "resume", {}))
            await self._answered(self._asks(spot.place, spot.people[0], "end", {}))
        await self.house.service.receiver.settled(spot.place)

    async def _post(self, spot: Spot) -> None:
        if self.chance.random() < 0.05:  # somebody joins, and somebody else may stay away
            spot.people = [*spot.people[-3:], self._somebody()]
        author = self.chance.choice(spot.people)
        words = " ".join(self.chance.choice(("rain", "key", "door", "fire", "stairs", "night")) for _ in range(20))
        spot.newest = InboundPost(self._event(), spot.place, author, f"Player {author}", f'"{words}," they said.')
        await self._receive(spot.newest)

    async def _command(self, spot: Spot) -> None:
        _, name, values = self.chance.choices(LANE, [often for often, *_ in LANE])[0]
        await self._receive(self._asks(spot.place, self.chance.choice(spot.people), name, values))

    async def _touch(self, spot: Spot) -> None:
        """As from a button."""
        name = self.chance.choice(("retry", "continue", "longer"))
        await self._commanding.hand_in(self._asks(spot.place, self.chance.choice(spot.people), name, {}))
        self.done["touch"] += 1

    async def _ask(self, spot: Spot) -> None:
        _, name, values = self.chance.choices(DESK, [often for often, *_ in DESK])[0]
        await self._answered(self._asks(spot.place, self.chance.choice(spot.people), name, values))

    async def _change(self, spot: Spot) -> None:
        """A message is edited or deleted where it stands."""
        if spot.newest is None:
            return
        post, event = spot.newest, self._event()
        if self.chance.random() < 0.7:
            await self._receive(Edited(event, spot.place, post.author, post.event, "Somebody thought better of it."))
        else:
            await self._receive(Deleted(event, spot.place, post.event))
            spot.newest = None

    async def _come_again(self, spot: Spot) -> None:
        """The platform tells twice."""
        if spot.newest is not None:
            await self._receive(spot.newest)

    async def _bring(self, spot: Spot) -> None:
        """A file is brought: a card, or this story's own chat into a new place, which ends at once."""
        if self.chance.random() < 0.6:
            await self._import_card(spot.people[0], self.chance.choice(CARDS))
            return
        asked = self._asks(spot.place, spot.people[0], "export", {"format": "jsonl"})
        chat = await self.house.service.desk.answer(asked)
        self._places += 1
        other = Place(spot.place.platform, ChannelKey(f"thread-{self._places}"))
        await self._answered(self._asks(other, spot.people[0], "import", {}), chat.file)
        await self._answered(self._asks(other, spot.people[0], "end", {}))
        await self.house.service.receiver.settled(other)

    async def _import_card(self, author: AuthorId, name: str) -> None:
        card = CharacterCard(name, f"{name} keeps an inn.", f'{name} looked up. "We close at ten."', Rating.GENERAL)
        command = self._asks(Place(TOWN, ChannelKey("library")), author, "character import", {})
        await self.house.service.desk.answer(command, write_json(card))
        self.done["card"] += 1

    async def _receive(self, event: Inbound) -> None:
        self.done[type(event).__name__] += 1
        await self.house.service.receiver.receive(event)

    async def _answered(self, command: Command, upload: bytes = b"") -> None:
        self.done["asked"] += 1
        try:
            await self.house.service.desk.answer(command, upload)
        except Refused as refused:
            self.refused[str(refused)] += 1

    def _asks(self, place: Place, author: AuthorId, name: str, values: Values) -> Command:
        return Command(self._event(), place, author, name, values, f"Player {author}", is_moderator=True)

    def _event(self) -> EventId:
        self._events += 1
        return EventId(f"event-{self._events}")

    def _somebody(self) -> AuthorId:
        return AuthorId(f"{self.chance.randrange(PEOPLE)}")
