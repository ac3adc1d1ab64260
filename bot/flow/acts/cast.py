"""Acts on who plays whom: personas, characters that leave, who answers next."""

from dataclasses import replace

from bot.cleaning import clean_name
from bot.errors import Refused
from bot.flow.acts.scene import Act, Scene
from bot.ports.store import Change
from bot.story import agreements
from bot.story.persona import Persona
from bot.story.policies import call_on
from bot.story.session import with_persona


def _set_persona(scene: Scene) -> Change:
    old = scene.persona
    name = clean_name(scene.text("name", old.name))
    if any(name.casefold() == card.name.casefold() for card in scene.session.cast):
        raise Refused(f"{name} is played by the model here; choose another name.")
    others = (each for each in scene.session.personas if each.author != old.author)
    if any(name.casefold() == each.name.casefold() for each in others):
        raise Refused(f"Somebody else plays {name} here; choose another name.")
    persona = Persona(old.author, name, scene.text("description", old.description).strip())
    return scene.change(with_persona(scene.session, persona), f"{name} is in the story.")


def _clear_persona(scene: Scene) -> Change:
    session, author = scene.session, scene.command.author
    if session.persona_of(author) is None:
        raise Refused("You play nobody in this story.")
    kept = tuple(persona for persona in session.personas if persona.author != author)
    return scene.change(replace(session, personas=kept), "Your persona has left the story; what was posted stays.")


def _remove_character(scene: Scene) -> Change:
    name = scene.text("character")
    return scene.change(agreements.remove_character(scene.session, name), f"{name} has left the story.")


def _speak(scene: Scene) -> Change:
    called = call_on(scene.session, scene.text("character"))
    return scene.change(called, f"{called.table.next_speaker} answers next.")


ACTS: dict[str, Act] = {
    "persona set": _set_persona,
    "persona clear": _clear_persona,
    "character remove": _remove_character,
    "speak": _speak,
}
