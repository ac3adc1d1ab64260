"""What became of everything that players wrote on Discord: its own record, held against the store. It changes nothing."""

from collections.abc import Iterable, Sequence

from adapters.discord.words import ids_of, place_of
from bot.ports.store import Store
from tests.fakes.discord import Channel, LoopbackDiscord, Message
from tests.walks.reckoning import Reckoning, Scene, Stands, hold

SIGN, GOES_ON = "-# ⏳ ", "-# ↪ "


async def reckon(discord: LoopbackDiscord, store: Store, threads: Iterable[Channel]) -> Reckoning:
    """Hold every thread against its story."""
    found = Reckoning()
    for thread in threads:
        await _thread(discord, store, thread, found)
        _ever_doubled(discord, thread, found)
    for what, open_ones in (("waits", await store.waiting()), ("is undelivered", await store.outstanding())):
        found.lost += [f"{each} {what}" for each in open_ones]
    found.strange += [f"a request {each.route}" for each in discord.strange]
    return found


async def _thread(discord: LoopbackDiscord, store: Store, thread: Channel, found: Reckoning) -> None:
    """Hold a thread against its story: what stands, under the ids that the store has noted, and nothing else."""
    place, messages = place_of(thread.id), discord.messages(thread)
    session = await store.session_at(place)
    assert session is not None
    posts = [each for each in messages if not each.author.is_bot and each.id != thread.id]
    replies = [each for each in messages if each.webhook_id is not None]
    scene = Scene(thread.name, _standing(posts), _standing(replies), await store.turns(session.id))
    hold(scene, found)
    order = [int(source) for turn in scene.turns for source in turn.sources]
    if order != sorted(order):
        found.disordered.append(scene.about("turns stand in another order than their posts, gone ones too"))
    page = await store.page(place, limit=10_000)
    noted = {ids_of(each.message)[1] for each in page.shown if each.post.position is not None}
    if noted != {each.id for each in replies}:
        found.strange.append(scene.about("the store has noted other messages than those that stand"))
    for each in messages:
        if each.author.id == discord.bot_id and each.webhook_id is None:
            found.counts["lines where replies go on"] += each.content.startswith(GOES_ON)
            if not each.content.startswith(GOES_ON):
                found.strange.append(scene.about(f"the bot said {each.content!r}"))


def _standing(messages: Iterable[Message]) -> Sequence[Stands]:
    return [Stands(str(each.id), each.content) for each in messages]


def _ever_doubled(discord: LoopbackDiscord, thread: Channel, found: Reckoning) -> None:
    """No text was ever posted while the same text stood already."""
    stood: dict[int, str] = {}
    for change in discord.history(thread):
        if change.kind == "create" and change.content in stood.values() and not change.content.startswith(SIGN):
            found.doubled.append(f"{thread.name}: {change.content[:60]!r} was posted while it stood")
        stood[change.id] = change.content
        if change.kind == "delete":
            del stood[change.id]
