"""Acts on replies and posts: another version, longer, shorter, on, away. Whose turn it is and when is not decided here."""

from bot.errors import Refused
from bot.flow.acts.scene import Act, Scene
from bot.ports.store import Change
from bot.prompt.length import longer, shorter
from bot.story import acts, cutting
from bot.story.session import Session
from bot.story.settings import Length
from bot.story.turn import Role


def _retry(scene: Scene) -> Change:
    length = length_named(scene.text("length"))
    if _lacks_reply(scene.session):
        return scene.change(scene.joining.answered(scene.session, length))
    return scene.change(acts.retry(scene.session, scene.roll(), length=length))


def _shorter(scene: Scene) -> Change:
    length = shorter(acts.last_reply(scene.session).variant.length)
    return scene.change(acts.retry(scene.session, scene.roll(), length=length))


def _longer(scene: Scene) -> Change:
    length = longer(acts.last_reply(scene.session).variant.length)
    return scene.change(acts.retry(scene.session, scene.roll(), length=length))


def _continue(scene: Scene) -> Change:
    if _lacks_reply(scene.session):
        return scene.change(scene.joining.answered(scene.session))
    return scene.change(acts.extend(scene.session, scene.roll()))


def _swipe(scene: Scene) -> Change:
    sides = {"left": -1, "right": 1}
    if scene.text("side") not in sides:
        raise Refused("A swipe goes left, to the version before, or right, to the next one.")
    swiped = acts.swipe(scene.session, sides[scene.text("side")])
    return scene.shown_anew(swiped, acts.last_reply(swiped))


def _edit(scene: Scene) -> Change:
    number = scene.changeable(turn_number(scene))
    edited = acts.edit(scene.session, number, scene.text("text"))
    return scene.shown_anew(edited, edited.turn(number))


def _undo(scene: Scene) -> Change:
    return scene.without(*acts.undo(scene.session))


def _delete(scene: Scene) -> Change:
    return scene.without(*cutting.delete(scene.session, scene.changeable(turn_number(scene))))


def _rewind(scene: Scene) -> Change:
    return scene.without(*cutting.rewind(scene.session, turn_number(scene)))


def _lacks_reply(session: Session) -> bool:
    return session.writing is None and session.last is not None and session.last.role is Role.PLAYER


def turn_number(scene: Scene) -> int:
    """The turn that was named, else the newest one."""
    if "turn" in scene.command.values:
        return scene.number("turn")
    if scene.session.last is None:
        raise Refused("There is no post in this story yet.")
    return scene.session.last.number


def length_named(word: str) -> Length | None:
    """The length of this name; None for no name. Raises Refused."""
    if not word or word == "none":
        return None
    try:
        return Length(word)
    except ValueError:
        known = ", ".join(Length)
        raise Refused(f"There is no such length; choose one of {known}, or none.") from None


ACTS: dict[str, Act] = {
    "retry": _retry,
    "shorter": _shorter,
    "longer": _longer,
    "continue": _continue,
    "swipe": _swipe,
    "edit": _edit,
    "undo": _undo,
    "delete": _delete,
    "rewind": _rewind,
}
