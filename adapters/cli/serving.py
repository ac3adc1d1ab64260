"""Keeps a house open: the page until a signal, or a story in this terminal until the player leaves."""

import asyncio
import signal

from rich.console import Console

from adapters.config import Config
from adapters.faces import PAGE, community, page, terminal
from adapters.terminal.play import play

SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(config: Config, console: Console, *, opens_scene: bool = False) -> None:
    """Serve the page until Ctrl-C or SIGTERM. With `opens_scene`, a new story is played up to its first reply."""
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with page(config) as (built, address):
        for each in SIGNALS:
            loop.add_signal_handler(each, asked_to_end.set)
        console.print(f"Understudy plays at {address} (Ctrl-C ends it)", highlight=False)
        story = await built.begin(PAGE)
        if story.character.name != config.scene.character.name:
            console.print(
                f"The story of {story.character.name} was begun here before and goes on. To play another scene, name"
                " another data folder: --data FOLDER, or DATA=FOLDER for make.",
                highlight=False,
                markup=False,
            )
        if opens_scene and await built.open_scene(PAGE):
            console.print(f"{story.character.name} is answering the opening scene there now.", highlight=False)
        await asked_to_end.wait()
        console.print("Ending; the story is kept.", highlight=False)


async def play_in_channels(config: Config, console: Console) -> None:
    """Play in the channels of a community, and on the page, until Ctrl-C or SIGTERM."""
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with community(config, lambda sentence: console.print(sentence, highlight=False, markup=False, soft_wrap=True)):
        for each in SIGNALS:
            loop.add_signal_handler(each, asked_to_end.set)
        await asked_to_end.wait()
        console.print("Ending; the stories are kept.", highlight=False)


async def play_here(config: Config, console: Console) -> None:
    """Play in this terminal until the input ends or the player quits."""
    async with terminal(config, console) as playing:
        await play(playing)
