"""Acts beside the story's words: talk out of character, and dice."""

from bot.flow.acts.scene import Act, Scene
from bot.ports.store import Change
from bot.story import acts
from bot.story.rolling import parse_roll, roll


def _ooc(scene: Scene) -> Change:
    return scene.change(acts.add_aside(scene.session, scene.persona.author, scene.persona.name, scene.text("text").strip()))


def _roll(scene: Scene) -> Change:
    # Dice written with blanks, "2d6 + 3 the lock", go on in what was taken for their reason.
    dice, reason = parse_roll(f"{scene.text('dice')} {scene.text('reason')}".strip())
    rolled = roll(dice, scene.roll(), scene.persona.name, reason)
    return scene.change(acts.add_rolls(scene.session, scene.persona, (rolled,)), f"{rolled.sentence} {rolled.detail}")


ACTS: dict[str, Act] = {"ooc": _ooc, "roll": _roll}
