"""Acts on what the table agreed on: length, notes, facts, lore, lines and veils, pauses, who plays, how turns go."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bot.errors import Refused
from bot.flow.acts.replies import length_named
from bot.flow.acts.scene import Act, Scene
from bot.ports.store import Change
from bot.story import agreements
from bot.story.agreements import Limits
from bot.story.lorebook import LoreEntry
from bot.story.session import Session, with_length
from bot.story.settings import SessionSettings, SpeakerPolicy, TurnPolicy
from bot.story.table import NOTE_DEPTH


def _length(scene: Scene) -> Change:
    if scene.text("length") == "auto":
        return scene.change(_with(scene.session, matches_length=True))
    chosen = with_length(scene.session, length_named(scene.text("length")))
    return scene.change(_with(chosen, matches_length=False))


def _note(scene: Scene) -> Change:
    text = scene.text("text")
    noted = agreements.with_note(scene.session, text, scene.number("depth", NOTE_DEPTH))
    return scene.change(noted, "The author's note is set." if text.strip() else "There is no author's note any more.")


def _pin(scene: Scene) -> Change:
    pinned = agreements.pin(scene.session, scene.text("text"))
    return scene.change(pinned, f"Pinned as fact number {len(pinned.memory.facts)}.")


def _unpin(scene: Scene) -> Change:
    return scene.change(agreements.unpin(scene.session, scene.number("number")), "The fact is no longer pinned.")


def _add_lore(scene: Scene) -> Change:
    keys = tuple(key for each in scene.text("keys").split(",") if (key := each.strip()))
    if not keys:
        raise Refused("An entry of lore needs a word that calls it up.")
    return scene.change(agreements.add_entry(scene.session, LoreEntry(scene.text("text").strip(), keys)), "The lore is added.")


def _remove_lore(scene: Scene) -> Change:
    return scene.change(agreements.remove_entry(scene.session, scene.number("number")), "The entry of lore is gone.")


def _edit_summary(scene: Scene) -> Change:
    edited = agreements.with_summary(scene.session, scene.text("text"), scene.session.window_start)
    return scene.change(edited, "The summary is changed.")


def _scenario(scene: Scene) -> Change:
    return scene.change(replace(scene.session, scenario=scene.text("text").strip()), "The scenario is set.")


def _pause(scene: Scene, *, paused: bool) -> Change:
    said = "The story is paused; unpause takes it up again." if paused else "The story goes on."
    return scene.change(agreements.pause(scene.session, paused=paused), said)


def _add_limit(scene: Scene, kind: Limits) -> Change:
    return scene.change(agreements.add_limit(scene.session, kind, scene.text("text")), f"Added to the {kind}.")


def _remove_limit(scene: Scene, kind: Limits) -> Change:
    return scene.change(agreements.remove_limit(scene.session, kind, scene.number("number")), f"Taken from the {kind}.")


def _remove_player(scene: Scene) -> Change:
    gone = scene.player()
    return scene.change(agreements.remove_player(scene.session, gone), f"{scene.text('player')} is no longer heard here.")


def _allow_player(scene: Scene) -> Change:
    return scene.change(agreements.allow_player(scene.session, scene.player()), f"{scene.text('player')} is heard again.")


def _settings(scene: Scene) -> Change:
    """Every option that was given, and no other, is set."""
    choices: dict[str, Callable[[str], object]] = {
        "turns": TurnPolicy,
        "speakers": SpeakerPolicy,
        "adapter": lambda name: "" if name == "none" else name,
        "summaries": lambda word: word == "on",
        "nudge": lambda minutes: 60 * int(minutes) or None,
    }
    fields = {
        "turns": "turns",
        "speakers": "speakers",
        "adapter": "adapter",
        "summaries": "summarises",
        "nudge": "nudge_seconds",
    }
    try:
        chosen = {fields[name]: read(scene.text(name)) for name, read in choices.items() if name in scene.command.values}
    except ValueError:
        raise Refused("One of these settings has a value that it cannot have; ask for help on settings.") from None
    if not chosen:
        return scene.change(scene.session, _shown(scene.session.settings))
    settings: SessionSettings = replace(scene.session.settings, **chosen)  # type: ignore[arg-type]  # by name, as read
    return scene.change(replace(scene.session, settings=settings), "The settings are changed.")


def _shown(settings: SessionSettings) -> str:
    nudge = settings.nudge_seconds // 60 if settings.nudge_seconds else 0
    facts = {"turns": settings.turns, "speakers": settings.speakers, "nudge": nudge, "adapter": settings.adapter or "none"}
    facts["summaries"] = "on" if settings.summarises else "off"
    return "The settings are " + ", ".join(f"{name}:{value}" for name, value in facts.items()) + "."


def _with(session: Session, *, matches_length: bool) -> Session:
    return replace(session, settings=replace(session.settings, matches_length=matches_length))


ACTS: dict[str, Act] = {
    "length": _length,
    "note": _note,
    "pin": _pin,
    "unpin": _unpin,
    "lore add": _add_lore,
    "lore remove": _remove_lore,
    "summary edit": _edit_summary,
    "scenario": _scenario,
    "settings": _settings,
    "pause": partial(_pause, paused=True),
    "unpause": partial(_pause, paused=False),
    "lines add": partial(_add_limit, kind="lines"),
    "lines remove": partial(_remove_limit, kind="lines"),
    "veils add": partial(_add_limit, kind="veils"),
    "veils remove": partial(_remove_limit, kind="veils"),
    "remove": _remove_player,
    "allow": _allow_player,
}
