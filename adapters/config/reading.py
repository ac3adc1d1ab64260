"""Reads the configuration: a TOML file, the environment over it, and the scene that it names. Judges all before it fails."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from adapters.config.kinds import CLOSED
from adapters.config.lines import Keys, line_of, lines_of
from adapters.config.mistakes import Source, sentences, suggestion
from adapters.config.scene import Character, Part, Scene, SceneChoice, sample_scene
from adapters.config.secrets import SECRETS, VARIABLES, parts_of, put_in
from adapters.config.settings import Config, Shared
from adapters.network.hosts import is_loopback
from bot.errors import ConfigMistakes

ENVIRONMENT: Mapping[str, Keys] = MappingProxyType({each.variable: each.keys for each in SECRETS if each.keys})
"""The environment variables that set a key of the configuration, and which; an empty one sets none."""

EXAMPLE = Path(__file__).parent / "example.toml"
"""The commented example that `understudy init` writes."""

SCENE_SECTIONS = ("scene", "character", "player")

T = TypeVar("T")
Found = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Sections(Shared):
    """The sections that a configuration file may have."""

    scene: SceneChoice = field(default_factory=SceneChoice)
    character: Character | None = None
    player: Part | None = None


def read(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration of a file with the environment over it. Raises ConfigMistakes with every mistake in them."""
    return _judge(_text(path), path, environment)


def defaults(environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration of an empty file with the environment over it. Raises ConfigMistakes."""
    return _judge("", Path("the environment"), environment)


def holds_secret(path: Path) -> bool:
    """Whether a configuration file holds a secret itself, and does not only name where it is. Raises ConfigMistakes."""
    document = _parsed(_text(path), path)

    def value(keys: Keys) -> str:
        table = document.get(keys[0], {})
        return str(table.get(keys[1], "")) if isinstance(table, dict) else ""

    addresses = (("storage", "url"), ("discord", "http_proxy"), ("matrix", "http_proxy"))
    tokens = [each.keys for each in SECRETS if each.keys and each.keys not in addresses]
    return any(map(value, tokens)) or any(parts_of(value(keys)) for keys in addresses)


def read_scene(path: Path) -> Scene:
    """The scene of a file. Raises ConfigMistakes with every mistake in it."""
    text = _text(path)
    scene, found = _validated(Scene, _parsed(text, path), Source(str(path), lines_of(text), {}), path.parent)
    if scene is None:
        raise ConfigMistakes([sentence for _, sentence in sorted(found)])
    return scene


def _judge(text: str, path: Path, environment: Mapping[str, str]) -> Config:
    document = _parsed(text, path)
    came_from, wrong_secrets = put_in(document, environment, path.parent)
    source = Source(str(path), lines_of(text), came_from)
    sections, found = _validated(Sections, document, source, path.parent)
    found += list(_about_the_scene(document, source))
    found += list(_about_the_engine(sections, source))
    found += list(_about_discord(sections, source))
    found += list(_about_the_page(sections, source))
    mistakes = [*wrong_secrets, *(sentence for _, sentence in sorted(found))]
    scene = None
    try:
        scene = _scene(document, path.parent)
    except ConfigMistakes as wrong:
        mistakes += wrong.mistakes
    mistakes += _misspelt(environment)
    if mistakes or sections is None or scene is None:
        raise ConfigMistakes(mistakes)
    parts = {each.name: getattr(sections, each.name) for each in fields(Config) if each.name != "scene"}
    return Config(**parts, scene=scene)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigMistakes([f"{path} is not a text file in UTF-8; save it in that encoding."]) from None
    except OSError as error:
        raise ConfigMistakes([f"{path} cannot be read ({error.strerror}); `understudy init` writes an example."]) from None


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigMistakes([f"{path} is not TOML: {error}."]) from None
    except RecursionError:
        raise ConfigMistakes([f"{path} nests lists or tables deeper than any configuration does; take that out."]) from None


def _misspelt(environment: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(environment):
        hint = suggestion(name, VARIABLES)
        if name not in VARIABLES and hint.startswith("did you mean"):
            yield f"The environment variable {name} is not known; {hint}"


def _validated(kind: type[T], document: object, source: Source, folder: Path) -> tuple[T | None, list[Found]]:
    try:
        return TypeAdapter(kind).validate_python(document, context={"folder": folder.absolute()}), []
    except ValidationError as wrong:
        return None, list(sentences(wrong.errors(include_url=False), kind, source))


def _about_the_engine(sections: Sections | None, source: Source) -> Iterator[Found]:
    """What contradicts itself between [engine], [model] and [story], once each of them is right by itself."""
    if sections is None:
        return
    model, engine, wanted = sections.model, sections.engine, sections.story.adapter
    contradictions: list[tuple[Keys, str]] = []
    if engine.url and model.path:
        here = "names an engine elsewhere, and [model] path a model to run here; take out one of them"
        contradictions.append((("engine", "url"), here))
    if engine.url and model.format == "gguf":
        contradictions.append(
            (("model", "format"), 'is "gguf", but [engine] url is elsewhere, and so is the file; name a format')
        )
    if wanted and not engine.url and wanted not in [each.name for each in model.adapters]:
        contradictions.append((("story", "adapter"), f'is "{wanted}", but no [[model.adapters]] has that name'))
    for (section, key), sentence in contradictions:
        keys = (section, key)
        yield line_of(keys, source.lines) or 0, f"{source.place(keys)}: [{section}] {key} {sentence}."


def _about_discord(sections: Sections | None, source: Source) -> Iterator[Found]:
    """What contradicts itself in [discord]."""
    if sections is None or sections.discord.shards is None:
        return
    keys, count = ("discord", "shards"), sections.discord.shard_count
    if count is None or max(sections.discord.shards) >= count:
        sentence = "needs shard_count, the number of shards of all processes together, which must be above each of them"
        yield line_of(keys, source.lines) or 0, f"{source.place(keys)}: [discord] shards {sentence}."


def _about_the_page(sections: Sections | None, source: Source) -> Iterator[Found]:
    """What contradicts itself in [web]."""
    if sections is None or sections.web.operator_token or is_loopback(sections.web.host):
        return
    keys = ("web", "host")
    sentence = "is no address of this machine alone; set operator_token too, without which nobody else may reach the page"
    yield line_of(keys, source.lines) or 0, f"{source.place(keys)}: [web] host {sentence}."


def _about_the_scene(document: dict[str, Any], source: Source) -> Iterator[Found]:
    given = [name for name in SCENE_SECTIONS if name in document]
    choice = document.get("scene", {})
    from_file = isinstance(choice, dict) and "file" in choice
    inline = [name for name in given if name != "scene"] + [key for key in choice if key != "file"]
    if from_file and inline:
        yield (
            0,
            f"{source.place(('scene', 'file'))}: [scene] file names a whole scene; take out {', '.join(inline)}, or the file.",
        )
    if given and not from_file:
        for name in SCENE_SECTIONS:
            if name not in document:
                yield 0, f"{source.name}: a scene needs [scene], [character] and [player]; [{name}] is missing."
        if isinstance(choice, dict) and "scene" in document and "scenario" not in choice:
            yield 0, f'{source.place(("scene",))}: [scene] needs either the key "file" or the key "scenario".'


def _scene(document: dict[str, Any], folder: Path) -> Scene | None:
    """The scene that the document names or holds. None when it holds one with mistakes that were named already."""
    choice = document.get("scene", {})
    if not any(name in document for name in SCENE_SECTIONS):
        return sample_scene()
    if isinstance(choice, dict) and isinstance(choice.get("file"), str):
        path = Path(folder, Path(choice["file"]).expanduser())
        return read_scene(path) if path.is_file() else None
    try:
        return TypeAdapter(Scene).validate_python({name: document.get(name) for name in SCENE_SECTIONS})
    except ValidationError:
        return None
