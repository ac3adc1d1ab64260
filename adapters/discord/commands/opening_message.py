"""The words that a thread of a story opens with: its title and its first message. Pure."""

import discord

TITLE = 100
SCENARIO = 600

HOW_TO_PLAY = (
    "Write what you do and say, in as many messages as it takes; {name} answers here."
    " What begins with // is talk beside the story, which {name} never reads.\n"
    "The buttons below a reply have it written anew or on; /help lists all that can be done."
)


def title(character: str, player: str, scenario: str) -> str:
    """What the thread is called: the character, and the scenario in a few words, or else who plays."""
    told = " ".join(scenario.split())
    whole = f"{character}: {told}" if told else f"{character} and {player}"
    return whole if len(whole) <= TITLE else f"{whole[: TITLE - 1].rstrip()}…"


def first_message(character: str, player: str, scenario: str) -> str:
    """What stands above the story: who is in it, the scenario in short, and how to play in two lines."""
    name = discord.utils.escape_markdown(" ".join(character.split()))
    told = " ".join(scenario.split())
    short = told if len(told) <= SCENARIO else f"{told[: SCENARIO - 1].rstrip()}…"
    lines = [f"**{name}** and **{discord.utils.escape_markdown(' '.join(player.split()))}**"]
    lines += [f"> {discord.utils.escape_markdown(short)}"] if short else []
    return "\n".join([*lines, HOW_TO_PLAY.format(name=name)])
