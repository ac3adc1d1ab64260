"""The house as it is put together from a configuration: what it plays, once, and whom it keeps out."""

import errno
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters import faces, wiring
from adapters.cli.once import STAGE, NotingCourier
from adapters.clock import SystemClock
from adapters.config import Config, EngineConfig, ModelConfig, defaults
from adapters.config.limits import LimitsConfig, PlayerLimits
from adapters.llama.engine import open_engine
from adapters.llama.loading import ModelFacts
from adapters.remote import EngineServerSettings
from adapters.remote.server import serve
from adapters.wiring import PLAYER, House, claimed, house
from bot import texts
from bot.engine.threaded import ThreadedEngine
from bot.errors import EngineUnavailable, Refused, StoreUnavailable
from bot.ids import EventId
from bot.ports.engine import Engine, GenerationRequest, StreamItem
from bot.posts import Command, InboundPost
from bot.prompt.format import CHATML, LIMARP
from bot.story.policy import Rating
from bot.story.settings import Length
from bot.story.turn import Role
from tests.fakes.engine import ScriptedEngine
from tests.fakes.runner import CountingRunner
from tests.models import DEMO_MODEL

FACTS = ModelFacts("a model", "llama", 2048, Rating.GENERAL, "")
CHATML_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def configured(folder: Path) -> Config:
    config = defaults({})
    return replace(config, storage=replace(config.storage, directory=str(folder)))


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[tuple[House, NotingCourier]]:
    """The real house, but what writes in it has a script."""

    def scripted(_: Engine) -> Engine:
        return ScriptedEngine([' "Come in," said Eleanor.'])

    courier = NotingCourier(config.web.limits, SystemClock())
    async with house(config, (courier,), scripted) as built:
        yield built, courier


async def test_a_new_story_opens_with_the_scene_and_a_reply(tmp_path: Path) -> None:
    async with opened(configured(tmp_path)) as (built, courier):
        assert await built.open_scene(STAGE)
        await built.service.receiver.settled(STAGE)
        story = await built.store.session_at(STAGE)
    assert story is not None
    assert [turn.role for turn in story.turns] == [Role.CHARACTER, Role.PLAYER, Role.CHARACTER]
    assert story.turns[1].text == built.config.scene.scene.opening
    assert [post.text for _, post in courier.posts] == [story.character.greeting, '"Come in," said Eleanor.']


async def test_the_opening_scene_is_played_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    for played in (True, False):
        async with opened(configured(tmp_path)) as (built, _):
            assert await built.open_scene(STAGE) is played
            await built.service.receiver.settled(STAGE)
            story = await built.store.session_at(STAGE)
            assert story is not None
            assert len(story.turns) == 3


async def test_an_opening_that_was_lost_after_the_greeting_is_played_at_the_next_start(tmp_path: Path) -> None:
    async with opened(configured(tmp_path)) as (built, _):
        await built.begin(STAGE)
    async with opened(configured(tmp_path)) as (built, _):
        assert await built.open_scene(STAGE)


async def test_a_data_folder_serves_one_program_at_a_time(tmp_path: Path) -> None:
    async with opened(configured(tmp_path)):
        with pytest.raises(Refused, match="Another Understudy is using the data folder"):
            async with opened(configured(tmp_path)):
                pass
    async with opened(configured(tmp_path)):
        pass


def test_a_folder_that_takes_no_lock_is_told_from_one_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StoreUnavailable, match="cannot be locked"), claimed(configured(tmp_path)):
        pass


@pytest.mark.parametrize("by_address_first", [True, False])
async def test_an_sqlite_file_serves_one_program_at_a_time_however_it_is_named(
    tmp_path: Path, *, by_address_first: bool
) -> None:
    by_folder = configured(tmp_path / "one")
    by_folder.storage.file.parent.mkdir()
    by_folder.storage.file.touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link.db").symlink_to(by_folder.storage.file)
    others = configured(tmp_path / "third")
    by_address = replace(others, storage=replace(others.storage, url=f"sqlite:///{by_folder.storage.file}"))
    by_link = replace(others, storage=replace(others.storage, url=f"sqlite:///{tmp_path}/other/link.db"))
    first, *refused = (by_address, by_folder, by_link) if by_address_first else (by_folder, by_address, by_link)
    with claimed(first):
        for config in refused:
            with pytest.raises(Refused, match="Another Understudy is using the"), claimed(config):
                pass
    with claimed(refused[0]):
        pass


async def test_several_programs_may_share_a_postgresql_database(tmp_path: Path) -> None:
    config = configured(tmp_path)
    shared = replace(config, storage=replace(config.storage, url="postgresql://understudy@localhost/understudy"))
    with claimed(shared), claimed(shared):
        assert not (tmp_path / "understudy.lock").exists()


async def test_a_data_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        async with opened(configured(tmp_path / "file" / "data")):
            pass


async def test_what_may_not_be_played_leaves_no_trace(tmp_path: Path) -> None:
    config = replace(configured(tmp_path / "data"), model=ModelConfig(rating="adult"))
    with pytest.raises(Refused, match="the model is adult"):
        async with opened(config):
            pass
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("format_name", "template", "expected"),
    [("auto", "", LIMARP), ("limarp", CHATML_TEMPLATE, LIMARP), ("chatml", "", CHATML)],
)
def test_the_format_is_the_configured_one_else_limarp(format_name: Any, template: str, expected: object) -> None:
    model = ModelConfig(format=format_name)
    assert wiring.prompt_format(model, replace(FACTS, chat_template=template)) == expected


def test_the_length_of_older_replies_is_kept_where_that_is_configured() -> None:
    assert not wiring.prompt_format(ModelConfig(), FACTS).keeps_old_modifiers
    assert wiring.prompt_format(ModelConfig(keep_lengths=True), FACTS).keeps_old_modifiers


@pytest.mark.parametrize("format_name", ["auto", "gguf"])
def test_a_model_that_brings_its_own_chat_template_is_spoken_to_in_it(format_name: Any) -> None:
    found = wiring.prompt_format(ModelConfig(format=format_name), replace(FACTS, chat_template=CHATML_TEMPLATE))
    assert found.player_before == "<|im_start|>user\n"


def test_a_chat_template_that_is_not_there_cannot_be_asked_for() -> None:
    with pytest.raises(Refused, match="has no chat template"):
        wiring.prompt_format(ModelConfig(format="gguf"), FACTS)


@asynccontextmanager
async def far(rating: Rating = Rating.GENERAL, token: str = "") -> AsyncIterator[str]:
    """An engine of ours on another host, as it were."""
    engine = ThreadedEngine(CountingRunner(context=4096, says=' "Come in," said Eleanor.'), model="far", rating=rating)
    async with serve(engine, EngineServerSettings(port=0, token=token)) as address:
        yield address


def using(folder: Path, url: str, **engine: Any) -> Config:
    return replace(configured(folder), engine=EngineConfig(url=url, **engine))


async def test_a_story_is_played_on_an_engine_that_is_elsewhere(tmp_path: Path) -> None:
    async with far() as address:
        courier = NotingCourier(defaults({}).web.limits, SystemClock())
        async with house(using(tmp_path, address), (courier,)) as built:
            assert await built.open_scene(STAGE)
            await built.service.receiver.settled(STAGE)
    assert [post.text for _, post in courier.posts][-1] == '"Come in," said Eleanor.'
    assert not (tmp_path / "kv").exists()


async def test_the_configured_limits_hold_and_after_a_restart_too(tmp_path: Path) -> None:
    limits = LimitsConfig(player=PlayerLimits(turns_a_minute=1))
    config = replace(configured(tmp_path), limits=limits)
    for name in ("first", "second"):
        async with opened(config) as (built, courier):
            await built.begin(STAGE)
            await built.service.receiver.receive(InboundPost(EventId(name), STAGE, PLAYER, "Tobias", f"The {name} post."))
            await built.service.receiver.settled(STAGE)
            last = [post.text for _, post in courier.posts][-1]
    assert "has asked for 1 reply within a minute" in last


async def test_an_adult_engine_elsewhere_is_not_played_on(tmp_path: Path) -> None:
    async with far(Rating.ADULT) as address:
        with pytest.raises(Refused, match="the model is adult"):
            async with house(using(tmp_path, address), ()):
                pass


async def test_an_engine_that_is_away_at_the_start_is_no_reason_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wiring, "ASKING_SECONDS", 0.1)
    async with house(using(tmp_path, f"unix:{tmp_path}/nobody"), ()):
        pass
    assert "posts to a story that has begun wait for it: The engine cannot be reached: nothing answers there." in caplog.text


async def test_a_new_story_does_not_begin_while_the_engine_is_away_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "ASKING_SECONDS", 0.1)
    async with house(using(tmp_path, f"unix:{tmp_path}/nobody", patience_seconds=1.0), ()) as built:
        with pytest.raises(Refused, match=r"^A story begins only when the engine answers, .*; start again then\. The engine "):
            await built.begin(STAGE)


async def test_what_no_waiting_mends_is_said_at_the_start(tmp_path: Path) -> None:
    async with far(token="sesame") as address:  # noqa: S106 - of this test
        with pytest.raises(EngineUnavailable, match=rf"^The engine refused the token: .*Asked at {address}"):
            async with house(using(tmp_path, address, token="wrong"), ()):  # noqa: S106 - of this test
                pass
        with pytest.raises(EngineUnavailable, match="does not tell its context: set it in the configuration"):
            async with house(using(tmp_path, address, token="sesame", kind="openai"), ()):  # noqa: S106 - of this test
                pass


async def test_the_settings_that_an_engine_cannot_follow_are_named_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with far() as address:
        config = using(tmp_path, address, kind="openai", model="far")
        model = ModelConfig(context=4096, rating="general", format="limarp")
        async with house(replace(config, model=model), ()):
            pass
    [line] = [record.getMessage() for record in caplog.records if "cannot follow" in record.getMessage()]
    assert line == "the engine cannot follow these sampler settings: tail_free_z, repetition_penalty, penalty_range"


async def test_keys_for_a_model_of_this_machine_are_named_when_it_is_elsewhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with far() as address:
        config = replace(using(tmp_path, address), model=ModelConfig(slots=2, kv_type="q8_0", context=512))
        async with house(config, ()):
            pass
    assert "so these keys of [model] do nothing here: slots, kv_type" in caplog.text


def test_a_model_that_is_elsewhere_is_spoken_to_in_limarp_unless_its_format_is_named() -> None:
    assert wiring.prompt_format(ModelConfig(), None) == LIMARP
    assert wiring.prompt_format(ModelConfig(format="chatml"), None) == CHATML


def test_the_demo_model_is_general_and_says_that_it_is_a_demo() -> None:
    wiring.refuse_adult_play(defaults({}), Rating.GENERAL)
    assert "demo" in faces.DEMO_NOTICE


def a_table(folder: Path, fingerprint: str) -> str:
    path = folder / "lengths.json"
    path.write_text(json.dumps({"fingerprint": fingerprint, "lengths": {"medium": {"median": 40, "most": 77}}}))
    return str(path)


@pytest.mark.parametrize(
    ("table", "budget", "said"),
    [
        ("far-1", 77, []),
        ("another", 1024, ["is of another model than far, so only the context limits a reply"]),
        (None, 1024, []),
    ],
)
async def test_a_table_of_lengths_counts_for_the_model_that_it_was_measured_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, table: str | None, budget: int, said: list[str]
) -> None:
    asked: list[int] = []

    class Noting(ThreadedEngine):
        async def generate(self, request: GenerationRequest) -> AsyncGenerator[StreamItem, None]:
            asked.append(request.max_tokens)
            async with aclosing(super().generate(request)) as stream:
                async for item in stream:
                    yield item

    says = CountingRunner(context=4096, says=' "Come in," said Eleanor.')
    engine = Noting(says, model="far", rating=Rating.GENERAL, fingerprint="far-1")
    async with serve(engine, EngineServerSettings(port=0)) as address:
        model = ModelConfig(lengths=table and a_table(tmp_path, table))
        courier = NotingCourier(defaults({}).web.limits, SystemClock())
        async with house(replace(using(tmp_path, address), model=model), (courier,)) as built:
            await built.open_scene(STAGE)
            await built.service.receiver.settled(STAGE)
    assert asked == [budget]
    told = [record.getMessage() for record in caplog.records if "lengths" in record.getMessage()]
    assert len(told) == len(said)
    assert all(part in line for part, line in zip(said, told, strict=True))


async def test_an_engine_that_names_no_file_is_told_of_where_a_table_is_configured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with far() as address:
        model = ModelConfig(lengths=a_table(tmp_path, "far-1"))
        async with house(replace(using(tmp_path, address), model=model), ()):
            pass
    assert "cannot be used, as the engine names no file" in caplog.text


async def test_the_demo_model_comes_with_its_own_lengths(tmp_path: Path) -> None:
    engine = open_engine(DEMO_MODEL, context=256, threads=1, gpu_layers=0)
    told = await engine.capabilities()
    await engine.close()
    table = configured(tmp_path).model.length_tables[told.fingerprint]
    medians = [table.median[length] for length in Length]
    assert medians == sorted(medians)
    assert all(table.most[length] > table.median[length] for length in (Length.SHORT, Length.MEDIUM, Length.LONG))


async def test_a_new_library_holds_the_characters_that_come_with_the_program_and_they_can_be_played(tmp_path: Path) -> None:
    async with opened(configured(tmp_path)) as (built, _):
        titles = await built.store.library()
        assert len(titles) == 3
        assert {title.rating for title in titles} == {Rating.GENERAL}
        for title in titles:
            await built.service.desk.answer(a_start(title.name))
            await built.service.desk.answer(Command(EventId(f"end {title.name}"), STAGE, PLAYER, "end"))
        await built.store.drop_card(titles[0].id)
        await built.begin(STAGE)
    async with opened(configured(tmp_path)) as (built, _):
        assert len(await built.store.library()) == 2


async def test_the_page_says_that_the_program_is_ending(tmp_path: Path) -> None:
    async with far() as address:
        config = using(tmp_path, address)
        async with (
            faces.page(replace(config, web=replace(config.web, port=0))) as (built, page),
            aiohttp.ClientSession() as http,
        ):
            async with http.get(page) as answer:
                assert texts.PAGE_ENDS not in await answer.text()
            await built.service.drain()
            async with http.get(page) as answer:
                assert texts.PAGE_ENDS in await answer.text()


def a_start(name: str) -> Command:
    return Command(EventId(f"start {name}"), STAGE, PLAYER, "start", {"character": name})
