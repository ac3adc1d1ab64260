"""Carrying out what players ask for: the story's pure function, then its posts. What must be written is left open."""

from bot.errors import Refused
from bot.flow.acts import cast, replies, table, talk
from bot.flow.acts.scene import Act, Scene
from bot.ports.store import Change

__all__ = ["Scene", "carry_out"]

ACTS: dict[str, Act] = {**replies.ACTS, **table.ACTS, **cast.ACTS, **talk.ACTS}
"""Every act on a story that needs nothing but the story, by the name of its command."""


def carry_out(scene: Scene) -> Change:
    """What an act changes. Raises Refused, with a sentence for the player, when it makes no sense now."""
    act = ACTS.get(scene.command.name)
    if act is None:
        raise Refused(f"There is no command {scene.command.name}; ask for help to see those that there are.")
    return act(scene)
