"""Keeps a house open: the page until a signal, or a story in this terminal until the player leaves."""

import asyncio

from rich.console import Console

from adapters.config import Config
from adapters.faces import PAGE, community, page, terminal
from adapters.hosting import asked_to_end
from adapters.terminal.courier import tame
from adapters.terminal.play import play
from adapters.wiring import House

ENDING = "Ending: the replies that are being written come to their end, for half a minute at most (Ctrl-C again: at once)."


async def serve(config: Config, console: Console, *, opens_scene: bool = False) -> None:
    """Serve the page until Ctrl-C or SIGTERM. With `opens_scene`, a new story is played up to its first reply."""
    async with page(config) as (built, address):
        asked = asked_to_end()
        console.print(f"Understudy plays at {address} (Ctrl-C ends it)", highlight=False)
        story = await built.begin(PAGE)
        if story.character.name != config.scene.character.name:
            console.print(
                f"The story of {tame(story.character.name)} was begun here before and goes on. To play another scene, name"
                " another data folder: --data FOLDER, or DATA=FOLDER for make.",
                highlight=False,
                markup=False,
            )
        if opens_scene and await built.open_scene(PAGE):
            answering = f"{tame(story.character.name)} is answering the opening scene there now."
            console.print(answering, highlight=False, markup=False)
        await _play_until(asked, built, console)
    console.print("Ended; the story is kept.", highlight=False)


async def play_in_channels(config: Config, console: Console) -> None:
    """Play in the channels of a community, and on the page, until Ctrl-C or SIGTERM."""

    def tell(sentence: str) -> None:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    async with community(config, tell) as built:
        await _play_until(asked_to_end(), built, console)
    console.print("Ended; the stories are kept.", highlight=False)


async def _play_until(asked: asyncio.Event, built: House, console: Console) -> None:
    await asked.wait()
    console.print(ENDING, highlight=False, markup=False, soft_wrap=True)
    await built.service.drain()


async def play_here(config: Config, console: Console) -> None:
    """Play in this terminal until the input ends or the player quits."""
    async with terminal(config, console) as playing:
        await play(playing)
