"""Plays the opening scene once, with a stopwatch, and shows it. It needs no terminal, and leaves nothing behind."""

import json
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule

from adapters.clock import SystemClock
from adapters.config import Config, StorageConfig
from adapters.terminal.courier import tame
from adapters.wiring import House, house
from bot.errors import EngineUnavailable, PostRefused
from bot.ids import ChannelKey, EventId, MessageId, Place, Platform, SessionId
from bot.ports.clock import Clock
from bot.ports.engine import Engine, EngineCapabilities, Finished, GenerationRequest, Segment, StreamItem, Waiting
from bot.posts import ChannelLimits, Draft, Fate, OutboundPost, PostReceipt, Voice

REHEARSAL = Platform("rehearsal")
STAGE = Place(REHEARSAL, ChannelKey("stage"))


@dataclass(slots=True)
class NotingCourier:
    """The courier of a place that nobody sees: it notes every post and when it came."""

    channel_limits: ChannelLimits
    clock: Clock
    posts: list[tuple[float, OutboundPost]] = field(default_factory=list)
    platform: Platform = REHEARSAL

    async def limits(self, place: Place) -> ChannelLimits:  # noqa: ARG002  the wall asks per place
        """The same for every place."""
        return self.channel_limits

    async def send(self, post: OutboundPost) -> PostReceipt:
        """Note a post and when it came."""
        self.posts.append((self.clock.ticks(), post))
        return PostReceipt(MessageId(post.key))

    async def edit(self, message: MessageId, post: OutboundPost) -> None:
        """Note what a post says now; it keeps its time."""
        self.posts = [(when, post if MessageId(each.key) == message else each) for when, each in self.posts]

    async def delete(self, place: Place, message: MessageId) -> None:  # noqa: ARG002  there is one place
        """Forget a post."""
        self.posts = [(when, each) for when, each in self.posts if MessageId(each.key) != message]

    async def read_back(self, post: OutboundPost, after: MessageId | None) -> PostReceipt | None:  # noqa: ARG002  it forgets nothing
        """The receipt of a post that was noted."""
        return next((PostReceipt(MessageId(each.key)) for _, each in self.posts if each.key == post.key), None)

    async def open(self, near: Place, title: str, key: str) -> Place:  # noqa: ARG002  there is none
        """Raises PostRefused: a rehearsal has one story."""
        raise PostRefused("A rehearsal has one story only.")

    async def writing(self, place: Place, draft: Draft) -> None:
        """Nobody watches."""

    async def tell_fate(self, place: Place, post: EventId, fate: Fate | None) -> None:
        """Nobody watches."""

    async def resting(self, place: Place, turn: int) -> None:
        """Nobody watches."""


@dataclass(slots=True)
class TimedEngine:
    """An engine, with a note of when the first and the last text of its reply came, and what the reply took."""

    engine: Engine
    clock: Clock
    first: float | None = None
    last: float = 0.0
    finished: Finished | None = None

    async def capabilities(self) -> EngineCapabilities:
        """As the engine's own."""
        return await self.engine.capabilities()

    async def count(self, segments: Sequence[Segment]) -> tuple[int, ...]:
        """As the engine's own."""
        return await self.engine.count(segments)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
        """As the engine's own, and timed."""
        async with aclosing(self.engine.generate(request)) as stream:
            async for event in stream:
                if isinstance(event, Waiting):
                    yield event
                    continue
                self.last = self.clock.ticks()
                self.first = self.first or self.last
                self.finished = event if isinstance(event, Finished) else None
                yield event

    async def warm(self, session: SessionId, segments: Sequence[Segment], adapter: str = "") -> None:
        """As the engine's own."""
        await self.engine.warm(session, segments, adapter)

    async def forget(self, session: SessionId) -> None:
        """As the engine's own."""
        await self.engine.forget(session)


@dataclass(frozen=True, slots=True)
class Played:
    """The scene as it was played. Rates are tokens per second, times seconds since the player's post was sent."""

    model: str
    character: str
    player: str
    greeting: list[str]
    opening: str
    reply: list[str]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    tokens_per_second: float
    time_to_first_token: float
    time_to_first_post: float
    total_seconds: float


async def play_once(config: Config, console: Console, *, as_json: bool) -> None:
    """Play the scene in a data directory of its own and print it. Raises EngineUnavailable when no reply came."""
    with tempfile.TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True) as directory:
        played = await _play(replace(config, storage=StorageConfig(directory=directory)))
    if as_json:
        console.print_json(json.dumps(asdict(played)))
    else:
        _show(played, console)


async def _play(config: Config) -> Played:
    clock = SystemClock()
    courier = NotingCourier(config.web.limits, clock)
    timed: list[TimedEngine] = []

    def watch(engine: Engine) -> Engine:
        timed.append(TimedEngine(engine, clock))
        return timed[0]

    async with house(config, (courier,), watch) as built:
        await built.begin(STAGE)
        await built.service.receiver.settled(STAGE)
        greeting = [post.text for _, post in courier.posts]
        begun = clock.ticks()
        await built.open_scene(STAGE)
        await built.service.receiver.settled(STAGE)
        replies = [(when, post) for when, post in courier.posts[len(greeting) :] if post.speaker.voice is Voice.CHARACTER]
        notices = [post.text for _, post in courier.posts if post.speaker.voice is Voice.MACHINERY]
        engine = timed[0]
        if not replies or engine.first is None or engine.finished is None:
            raise EngineUnavailable(f"No reply came. {' '.join(notices)}".strip())
        return await _measured(built, engine, greeting, replies, begun)


async def _measured(
    built: House, engine: TimedEngine, greeting: list[str], replies: list[tuple[float, OutboundPost]], begun: float
) -> Played:
    usage = engine.finished.usage if engine.finished else None
    first = engine.first or begun
    tokens = usage.completion_tokens if usage else 0
    scene = built.config.scene
    return Played(
        model=(await engine.capabilities()).model,
        character=scene.character.name,
        player=scene.player.name,
        greeting=greeting,
        opening=scene.scene.opening.strip(),
        reply=[post.text for _, post in replies],
        finish_reason=engine.finished.reason.value if engine.finished else "",
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=tokens,
        # The first token is the end of reading the prompt, not of writing: it is in neither the count nor the time.
        tokens_per_second=round(max(tokens - 1, 0) / max(engine.last - first, 1e-6), 1),
        time_to_first_token=round(first - begun, 3),
        time_to_first_post=round(replies[0][0] - begun, 3),
        total_seconds=round(replies[-1][0] - begun, 3),
    )


def _show(played: Played, console: Console) -> None:
    for text in played.greeting:
        _post(console, played.character, text)
    _post(console, played.player, played.opening)
    for number, text in enumerate(played.reply, 1):
        _post(console, f"{played.character} ({number} of {len(played.reply)})", text)
    console.print(Rule(style="dim"))
    console.print(
        f"{played.model}: {played.completion_tokens} tokens at {played.tokens_per_second:g} tokens per second,"
        f" first post after {played.time_to_first_post:g} s, {played.total_seconds:g} s in all.",
        highlight=False,
    )


def _post(console: Console, name: str, text: str) -> None:
    console.print(Rule(f"[bold]{escape(tame(name))}[/bold]", align="left", style="dim"))
    console.print(tame(text), markup=False, highlight=False)
    console.print()
