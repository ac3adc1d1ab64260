"""Acts beside the story's words: talk out of character, and dice."""

from bot.flow.acts.scene import Act, Scene
from bot.ports.store import Change
from bot.story import acts


def _ooc(scene: Scene) -> Change:
    return scene.change(acts.add_aside(scene.session, scene.persona.author, scene.persona.name, scene.text("text").strip()))


ACTS: dict[str, Act] = {"ooc": _ooc}
