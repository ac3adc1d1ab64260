"""Whatever players do, in whatever order: what the store holds, what the place shows and what the model reads are the same."""

import asyncio
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bot.ports.store import Store
from bot.posts import Deleted, Edited, InboundPost
from bot.story.persona import Persona
from bot.story.turn import Role
from storage.dialects import Database
from storage.store import SqlStore, open_store
from tests.builders import TOBIAS
from tests.fakes.engine import Pause
from tests.walks.told import PLAYERS, Stage, Tale, Told

STEPS = 6
ANY = st.integers(0, 1_000)
SENTENCES = st.integers(1, 5)
_names = count(1)


class AnyStory(RuleBasedStateMachine):
    """Acts on one story and its branches; `store` and `runner` are shared by all runs, each of which has places of its own."""

    store: Store
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(self.store, f"thread-{next(_names)}")

    @initialize(exchanges=st.integers(0, 4))
    def begin(self, exchanges: int) -> None:
        self.runner.run(self.stage.begin())
        self.done()
        for number in range(exchanges):
            self._exchange(self.stage.tales[0], PLAYERS[number % 2], 2, 2 + number)

    def teardown(self) -> None:
        """Close it. What was checked step by step for one story is checked once more for all."""
        try:
            self.done(*self.stage.tales)
        finally:
            self.runner.run(self.stage.service.close())

    def tale(self, which: int) -> Tale:
        return self.stage.tales[which % len(self.stage.tales)]

    def done(self, *tales: Tale) -> None:
        """Check these stories, or all."""
        for tale in tales or self.stage.tales:
            self.runner.run(self.stage.check(tale))

    def will_write(self, sentences: int) -> str:
        text = self.stage.words(sentences)
        self.stage.will_write(text)
        return text

    @rule(which=ANY, player=st.sampled_from(PLAYERS), post=SENTENCES, reply=SENTENCES)
    def post(self, which: int, player: Persona, post: int, reply: int) -> None:
        self._exchange(self.tale(which), player, post, reply)

    def _exchange(self, tale: Tale, player: Persona, post: int, reply: int) -> None:
        text, written = self.stage.words(post), self.will_write(reply)
        source = self.runner.run(self.stage.post(tale, player, text))
        tale.add(Role.PLAYER, text, source)
        tale.add(Role.CHARACTER, written)
        self.done(tale)

    @rule(which=ANY, player=st.sampled_from(PLAYERS))
    def talk(self, which: int, player: Persona) -> None:
        tale, text = self.tale(which), f"(({self.stage.words(1)}))"
        tale.add(Role.ASIDE, text, self.runner.run(self.stage.post(tale, player, text)))
        self.done(tale)

    @rule(which=ANY, reply=SENTENCES)
    def retry(self, which: int, reply: int) -> None:
        tale, written = self.tale(which), self.will_write(reply)
        self.runner.run(self.stage.act(tale, "retry"))
        if tale.lacks_reply:
            tale.add(Role.CHARACTER, written)
        elif tale.last is not None:
            told = tale.turns[tale.last]
            tale.turns[tale.last] = replace(told, texts=(*told.texts, written), selected=len(told.texts))
        self.done(tale)

    @rule(which=ANY, side=st.sampled_from((-1, 1)))
    def swipe(self, which: int, side: int) -> None:
        tale = self.tale(which)
        self.runner.run(self.stage.act(tale, "swipe", side="left" if side < 0 else "right"))
        if tale.last is not None and not tale.lacks_reply:
            told = tale.turns[tale.last]
            wanted = told.selected + side
            tale.turns[tale.last] = replace(told, selected=wanted if 0 <= wanted < len(told.texts) else told.selected)
        self.done(tale)

    @rule(which=ANY, reply=SENTENCES)
    def write_on(self, which: int, reply: int) -> None:
        tale, written = self.tale(which), self.will_write(reply)
        self.runner.run(self.stage.act(tale, "continue"))
        if tale.lacks_reply:
            tale.add(Role.CHARACTER, written)
        elif tale.last is not None:
            told = tale.turns[tale.last]
            tale.turns[tale.last] = told.reading(f"{told.text} {written}")
        self.done(tale)

    @rule(which=ANY, turn=ANY, sentences=SENTENCES)
    def edit(self, which: int, turn: int, sentences: int) -> None:
        tale, text = self.tale(which), self.stage.words(sentences)
        if tale.turns:
            at = turn % len(tale.turns)
            self.runner.run(self.stage.act(tale, "edit", turn=tale.turns[at].number, text=text))
            tale.turns[at] = tale.turns[at].reading(text)
        self.done(tale)

    @rule(which=ANY, turn=ANY)
    def delete(self, which: int, turn: int) -> None:
        tale = self.tale(which)
        if tale.turns:
            at = turn % len(tale.turns)
            self.runner.run(self.stage.act(tale, "delete", turn=tale.turns[at].number))
            del tale.turns[at]
        self.done(tale)

    @rule(which=ANY)
    def undo(self, which: int) -> None:
        tale = self.tale(which)
        self.runner.run(self.stage.act(tale, "undo"))
        posts = [at for at, told in enumerate(tale.turns) if told.role is Role.PLAYER]
        if posts:
            del tale.turns[posts[-1] :]
        self.done(tale)

    @rule(which=ANY, turn=ANY)
    def rewind(self, which: int, turn: int) -> None:
        tale = self.tale(which)
        if tale.turns:
            # Mostly the newest turns: else no story would become long.
            at = max(len(tale.turns) - 1 - turn % 6, 0)
            self.runner.run(self.stage.act(tale, "rewind", turn=tale.turns[at].number))
            del tale.turns[at:]
        self.done(tale)

    @precondition(lambda self: len(self.stage.tales) < 3)
    @rule(which=ANY, turn=ANY)
    def branch(self, which: int, turn: int) -> None:
        tale = self.tale(which)
        if tale.turns:
            at = turn % len(tale.turns)
            self.runner.run(self._branch(tale, tale.turns[at].number))
            copies = [replace(told, source=None) for told in tale.turns[: at + 1]]
            self.stage.tales[-1].turns = copies
        self.done()

    async def _branch(self, tale: Tale, number: int) -> None:
        known = set(await self.store.places())
        await self.stage.act(tale, "branch", turn=number)
        (place,) = set(await self.store.places()) - known
        self.stage.tales.append(Tale(place, [], number, tale.note, list(tale.facts)))
        await self.stage.settled()

    @rule(which=ANY)
    def roll(self, which: int) -> None:
        tale = self.tale(which)
        newest = tale.turns[tale.last] if tale.last is not None else None
        self.runner.run(self._roll(tale, newest))
        self.done(tale)

    async def _roll(self, tale: Tale, newest: Told | None) -> None:
        session = await self.store.session_at(tale.place)
        assert session is not None
        is_mine = session.last is not None and session.last.author == TOBIAS.author
        await self.stage.act(tale, "roll", dice="2d6")
        if newest is None or not is_mine:
            tale.add(Role.PLAYER, "")

    @rule(which=ANY, turn=ANY, sentences=SENTENCES, reply=SENTENCES)
    def change_own_post(self, which: int, turn: int, sentences: int, reply: int) -> None:
        tale, text, written = self.tale(which), self.stage.words(sentences), self.will_write(reply)
        mine = [at for at, told in enumerate(tale.turns) if told.source is not None]
        if mine:
            at = mine[turn % len(mine)]
            told = tale.turns[at]
            new = text if told.role is Role.PLAYER else f"(({text}))"
            assert told.source is not None
            event = Edited(self.stage.event(), tale.place, TOBIAS.author, told.source, new)
            self.runner.run(self.stage.receive(event))
            tale.turns[at] = told.reading(new)
            if at == tale.last:
                tale.add(Role.CHARACTER, written)
        self.done(tale)

    @rule(which=ANY, turn=ANY)
    def take_own_post_away(self, which: int, turn: int) -> None:
        tale = self.tale(which)
        mine = [at for at, told in enumerate(tale.turns) if told.source is not None]
        if mine:
            at = mine[turn % len(mine)]
            source = tale.turns[at].source
            assert source is not None
            self.runner.run(self.stage.receive(Deleted(self.stage.event(), tale.place, source)))
            del tale.turns[at]
        self.done(tale)

    @rule(which=ANY)
    def note(self, which: int) -> None:
        tale, text = self.tale(which), self.stage.remark("n")
        self.runner.run(self.stage.act(tale, "note", text=text))
        tale.note = text
        self.done(tale)

    @rule(which=ANY)
    def pin(self, which: int) -> None:
        tale, text = self.tale(which), self.stage.remark("f")
        self.runner.run(self.stage.act(tale, "pin", text=text))
        tale.facts.append(text)
        self.done(tale)

    @rule(which=ANY)
    def unpin(self, which: int) -> None:
        tale = self.tale(which)
        self.runner.run(self.stage.act(tale, "unpin", number=1))
        del tale.facts[:1]
        self.done(tale)

    @rule()
    def restart(self) -> None:
        self.runner.run(self.stage.restart())
        self.done()

    @rule(which=ANY, post=SENTENCES, reply=SENTENCES, before=st.integers(0, 40))
    def post_while_the_engine_breaks(self, which: int, post: int, reply: int, before: int) -> None:
        tale, text, written = self.tale(which), self.stage.words(post), self.stage.words(reply)
        self.stage.will_write(written, error_before=min(before, len(written.split())))
        source = self.runner.run(self.stage.post(tale, PLAYERS[0], text))
        tale.add(Role.PLAYER, text, source)
        self.runner.run(self._add_what_came(tale, written))
        self.done(tale)

    async def _add_what_came(self, tale: Tale, written: str) -> None:
        """A reply that broke off is a beginning of what the engine would have written, maybe none."""
        session = await self.store.session_at(tale.place)
        assert session is not None
        known = max((told.number for told in tale.turns), default=-1)
        if session.last is not None and session.last.role is Role.CHARACTER and session.last.number > known:
            assert written.startswith(session.last.text)
            tale.add(Role.CHARACTER, session.last.text)

    @rule(which=ANY, post=SENTENCES, reply=SENTENCES, before=st.integers(0, 40))
    def post_while_the_bot_is_killed(self, which: int, post: int, reply: int, before: int) -> None:
        tale, text, written, anew = self.tale(which), self.stage.words(post), self.stage.words(reply), self.stage.words(2)
        source = self.runner.run(self._killed(tale, text, written, anew, min(before, len(written.split()))))
        tale.add(Role.PLAYER, text, source.event)
        self.runner.run(self._add_resumed(tale, written, anew))
        self.done(tale)

    async def _killed(self, tale: Tale, text: str, written: str, anew: str, before: int) -> InboundPost:
        pause = Pause(before)
        self.stage.will_write(written)
        self.stage.engine.replies = [replace(self.stage.engine.replies[0], pause=pause)]
        post = InboundPost(self.stage.event(), tale.place, TOBIAS.author, TOBIAS.name, text)
        await self.stage.service.receiver.receive(post)
        await pause.reached.wait()
        await self.stage.service.close()
        self.stage.will_write(anew)
        await self.stage.restart()
        return post

    async def _add_resumed(self, tale: Tale, written: str, anew: str) -> None:
        """What had left in posts before the kill stays, and what is written after it follows."""
        session = await self.store.session_at(tale.place)
        assert session is not None
        assert session.last is not None
        assert session.last.text.endswith(anew)
        kept = session.last.text.removesuffix(anew).rstrip()
        assert written.startswith(kept)
        tale.add(Role.CHARACTER, session.last.text)


def any_story(url: str, examples: int, *, anew: bool = False) -> None:
    """Run so many stories on a store of this address; `anew`: others at every call."""
    with asyncio.Runner() as runner:
        store = runner.run(_opened(url))
        machine: type[AnyStory] = type("AnyStoryHere", (AnyStory,), {"store": store, "runner": runner})
        try:
            _run(machine, examples, anew=anew)
        finally:
            runner.run(store.close())


async def _opened(url: str) -> Store:
    """A store that need not survive a power cut."""
    await (await open_store(url)).close()
    return SqlStore(Database(url, synchronous="OFF"))


def _run(machine: type[AnyStory], examples: int, *, anew: bool) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not anew,
        # Shrinking takes hours of stories; what fails is short enough to be read.
        phases=[Phase.explicit, Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_store_screen_and_prompt_agree_after_anything_that_players_do(tmp_path: Path) -> None:
    any_story(f"sqlite+aiosqlite:///{tmp_path}/stories.db", 15)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_store_screen_and_prompt_agree_after_a_thousand_stories(tmp_path: Path, part: int) -> None:
    any_story(f"sqlite+aiosqlite:///{tmp_path}/stories-{part}.db", 250, anew=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_store_screen_and_prompt_agree_on_postgres_too(migrated_postgres: str) -> None:
    any_story(migrated_postgres, 150, anew=True)
