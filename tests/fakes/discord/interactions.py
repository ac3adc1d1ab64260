"""An interaction as the loopback Discord records it: what was asked, what was answered, and whether it still may be."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from tests.fakes.discord import refusals
from tests.fakes.discord.records import Channel, Json, Message, Type, User
from tests.fakes.discord.world import World

FIRST_ANSWER_S = 3.0
TOKEN_S = 900.0


class Asks(IntEnum):
    """What an interaction is about, by Discord's numbers."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Answers(IntEnum):
    """The types of a first answer, by Discord's numbers."""

    PONG = 1
    MESSAGE = 4
    DEFERRED = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


TO_MESSAGES = {Answers.MESSAGE, Answers.DEFERRED}
ALLOWED = {
    Asks.COMMAND: TO_MESSAGES | {Answers.MODAL},
    Asks.COMPONENT: TO_MESSAGES | {Answers.DEFERRED_UPDATE, Answers.UPDATE, Answers.MODAL},
    Asks.AUTOCOMPLETE: {Answers.CHOICES},
    Asks.MODAL: TO_MESSAGES | {Answers.DEFERRED_UPDATE, Answers.UPDATE},
}


@dataclass(frozen=True, slots=True)
class Callback:
    """The first answer: its type, its data, and how many real seconds it took."""

    type: Answers
    data: Json
    seconds: float


@dataclass(slots=True, eq=False)
class Interaction:
    """One thing that a person asked of the application.

    `source` is the message whose component was used; `original` the message that the first answer made or changed;
    `metadata` what messages that answer it carry; `asked` and `moved` are the time and the clock's moves at its start.
    """

    world: World
    id: int
    token: str
    asks: Asks
    user: User
    channel: Channel
    type: Type
    data: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    source: Message | None = None
    asked: float = 0.0
    moved: float = 0.0
    callback: Callback | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages that answer it and still stand, the original first."""
        found = ([] if self.original is None or self.original is self.source else [self.original]) + self.followups
        return tuple(each for each in found if not each.is_deleted)

    @property
    def content(self) -> str:
        """What its first message says. Raises AssertionError where there is none."""
        assert self.messages, "nothing answered yet"
        return self.messages[0].content

    def passed(self) -> float:
        """How many seconds a test has let pass since it was asked."""
        return self.world.clock.moved - self.moved

    def check_first(self) -> None:
        """Raises Refusal where a first answer is too late, or is not the first."""
        if self.callback is not None:
            raise refusals.already_acknowledged()
        if self.passed() > FIRST_ANSWER_S:
            raise refusals.unknown("Interaction")

    def check_later(self) -> None:
        """Raises Refusal where its webhook may not be used: before the first answer, and after fifteen minutes."""
        if self.callback is None:
            raise refusals.unknown("Webhook")
        if self.passed() > TOKEN_S:
            raise refusals.wrong_webhook_token()

    async def wait_for_callback(self, seconds: float = 10.0) -> Callback:
        """The first answer, once it is there. Raises TimeoutError."""
        await self.world.wait_until(lambda: self.callback is not None, seconds)
        assert self.callback is not None
        return self.callback

    async def wait_for_message(self, seconds: float = 10.0, number: int = 1) -> Message:
        """The message of this number, once it says more than that the application is thinking. Raises TimeoutError."""

        def ready() -> list[Message]:
            return [each for each in self.messages if not each.is_loading]

        await self.world.wait_until(lambda: len(ready()) >= number, seconds)
        return ready()[number - 1]

    def as_answer(self) -> Json:
        """The interaction as the answer to its callback has it."""
        found: Json = {"id": str(self.id), "type": int(self.asks), "channel_id": str(self.channel.id)}
        if self.channel.guild is not None:
            found["guild_id"] = str(self.channel.guild.id)
        if self.original is not None:
            found["response_message_id"] = str(self.original.id)
            found["response_message_loading"] = self.original.is_loading
            found["response_message_ephemeral"] = self.original.ephemeral
        return found

    def modal(self) -> Json:
        """The form that it was answered with. Raises AssertionError where it was not."""
        assert self.callback is not None, "nothing answered yet"
        assert self.callback.type is Answers.MODAL, f"answered with {self.callback.type.name}"
        return self.callback.data

    def choices(self) -> list[Any]:
        """The choices that it was answered with. Raises AssertionError where it was not."""
        assert self.callback is not None, "nothing answered yet"
        assert self.callback.type is Answers.CHOICES, f"answered with {self.callback.type.name}"
        return list(self.callback.data.get("choices", ()))
