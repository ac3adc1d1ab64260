"""What a configuration file may hold, and what is said about one that is wrong."""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.config import DEMO_MODEL, EXAMPLE, AdapterConfig, Config, defaults, read, read_scene
from bot.errors import ConfigMistakes
from bot.flow.keeping import Keep
from bot.sampling import LIMARP, ORDER, PRESETS, WARM_FIRST, SamplingSettings
from bot.story.policy import Rating
from bot.story.settings import Length, SessionSettings

SECRET = "postgresql://understudy:hunter2@localhost/understudy"  # noqa: S105 a made-up one
SCENE = """
[scene]
scenario = "A stranger asks for shelter."
rating = "general"

[character]
name = "Mira"
description = "An innkeeper."
rating = "general"

[player]
name = "Tobias"
description = "A soldier."
"""


def config_of(folder: Path, text: str, **environment: str) -> Config:
    path = folder / "understudy.toml"
    path.write_text(text, encoding="utf-8")
    return read(path, environment)


def mistakes_in(folder: Path, text: str, **environment: str) -> tuple[str, ...]:
    with pytest.raises(ConfigMistakes) as wrong:
        config_of(folder, text, **environment)
    return tuple(each.removeprefix(f"{folder / 'understudy.toml'}, ") for each in wrong.value.mistakes)


def test_an_empty_file_is_the_demo_on_this_machine(tmp_path: Path) -> None:
    config = config_of(tmp_path, "")
    assert config == defaults({})
    assert config.model.file == DEMO_MODEL
    assert config.model.stated_rating is Rating.GENERAL
    assert config.sampling.settings == LIMARP
    assert config.web.host == "127.0.0.1"
    assert config.storage.file.is_absolute()
    assert config.scene.rating is Rating.GENERAL


def test_the_example_changes_nothing_but_what_it_says() -> None:
    assert read(EXAMPLE, {}) == defaults({})


INSTRUCT = '{"input_sequence": "<|user|>", "output_sequence": "<|model|>"}'
CONTEXT = '{"story_string": "{{system}}{{description}}{{persona}}{{scenario}}"}'


def test_every_key_of_the_example_exists_also_where_it_is_commented_out(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for name in ("my-model.gguf", "noir-lora.gguf"):
        (tmp_path / "models" / name).touch()
    (tmp_path / "my-scene.toml").write_text(SCENE)
    (tmp_path / "lengths.json").write_text('{"fingerprint": "mine", "lengths": {"short": {"median": 50}}}')
    (tmp_path / "blocked.txt").write_text("red hand\n")
    for name, preset in (("instruct", INSTRUCT), ("context", CONTEXT), ("sampler", '{"temp": 0.7}')):
        (tmp_path / f"{name}.json").write_text(preset)
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    head = lines[: next(number for number, line in enumerate(lines) if line.startswith("# The scene of a new story"))]
    shown = [line.removeprefix("# ") if " = " in line or "[[" in line[:4] else line for line in head]
    by_file = [line for line in shown if not line.startswith(('url = "', "token = ", "operator_token = "))]
    shown = [line for line in shown if '_file = "secrets/' not in line]
    here = config_of(tmp_path, "\n".join(line for line in shown if not line.startswith('url = "http')))
    assert here.model.path == str(tmp_path / "models" / "my-model.gguf")
    assert here.model.adapters == (AdapterConfig(name="noir", path=str(tmp_path / "models" / "noir-lora.gguf")),)
    assert here.story.session_settings.adapter == "noir"
    assert here.cache_folder == tmp_path / "kv"
    assert "mine" in here.model.length_tables
    assert here.sampling.settings == replace(LIMARP, temperature=0.7)
    assert here.safety.blocklist.find("the red hand")
    assert here.privacy.keep == Keep(7, 365, 180)
    there = config_of(tmp_path, "\n".join(line for line in shown if not line.startswith('path = "models/my')))
    assert there.engine.url == "http://gpu-host:8004"
    (tmp_path / "secrets").mkdir()
    secrets = {
        "storage-url": SECRET,
        "engine-token": "of-the-engine",
        "discord-token": "of-discord",
        "web-operator-token": "w" * 16,
    }
    for name, secret in secrets.items():
        (tmp_path / "secrets" / name).write_text(f"{secret}\n")
    hidden = config_of(tmp_path, "\n".join(by_file))
    found = (hidden.storage.url, hidden.engine.token, hidden.discord.token, hidden.web.operator_token)
    assert found == tuple(secrets.values())


def test_what_is_set_is_what_counts(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        '[sampling]\npreset = "plain"\ntop_k = 40\n[story]\nlength = "none"\n[web]\nport = 0\npost_length = 500\n'
        '[storage]\ndirectory = "stories"\n',
    )
    assert config.sampling.settings == SamplingSettings(temperature=0.8, min_p=0.05, top_k=40)
    assert config.story.session_settings == SessionSettings(None)
    assert config.web.limits.post_length == 500
    assert config.storage.file == tmp_path / "stories" / "understudy.db"
    assert defaults({}).story.session_settings == SessionSettings(Length.MEDIUM)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_named_and_the_example_tells_of_it(tmp_path: Path, preset: str) -> None:
    assert config_of(tmp_path, f'[sampling]\npreset = "{preset}"\n').sampling.settings == PRESETS[preset]
    assert f"#   {preset} " in EXAMPLE.read_text(encoding="utf-8")


def test_every_sampler_setting_can_be_set(tmp_path: Path) -> None:
    wanted = SamplingSettings(
        temperature=1.5,
        tail_free_z=0.8,
        top_k=50,
        top_p=0.9,
        min_p=0.1,
        typical_p=0.7,
        repetition_penalty=1.2,
        presence_penalty=-0.5,
        frequency_penalty=0.25,
        penalty_range=100,
        penalize_newline=False,
        dry_multiplier=0.8,
        dry_base=2.0,
        dry_allowed_length=3,
        dry_range=500,
        dry_breakers=("\n", "***"),
        xtc_probability=0.5,
        xtc_threshold=0.2,
        logit_bias=((2, -100.0), (13, 1.5)),
        order=WARM_FIRST,
    )
    values = asdict(wanted) | {"logit_bias": None, "penalize_newline": None}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if value]
    text = "\n".join(["[sampling]", *lines, "penalize_newline = false", "[sampling.logit_bias]", "13 = 1.5", "2 = -100"])
    assert config_of(tmp_path, text).sampling.settings == wanted
    assert all(getattr(wanted, each.name) != each.default for each in fields(wanted))


def test_the_cache_lies_in_the_data_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert config_of(tmp_path, '[storage]\ndirectory = "data"\n').cache_folder == tmp_path / "data" / "kv"
    config = config_of(tmp_path, '[engine.cache]\nfolder = "elsewhere"\nram_gib = 0.5\ndisk_gib = 0\n')
    assert config.cache_folder == tmp_path / "elsewhere"
    assert (config.engine.cache.ram_bytes, config.engine.cache.disk_bytes) == (2**29, 0)


MISTAKES: list[tuple[str, str, str]] = [
    ("unknown section", "[modle]\n", 'line 1: there is no section [modle]; did you mean "model"?'),
    ("unknown key", "[web]\nprot = 1\n", 'line 2: [web] has no key "prot"; did you mean "port"?'),
    (
        "nothing like it",
        "[web]\nx = 1\n",
        'line 2: [web] has no key "x"; known are adults_only, host, operator_token, operator_token_file, port, post_length.',
    ),
    ("text for a number", '[web]\n\nport = "80"\n', 'line 3: [web] port is "80"; it must be a whole number.'),
    ("true for a number", "[web]\nport = true\n", "line 2: [web] port is true; it must be a whole number."),
    ("a fraction", "[model]\nslots = 1.5\n", "line 2: [model] slots is 1.5; it must be a whole number."),
    ("a path that is none", '[storage]\ndirectory = "a\\u0000"\n', "line 2: [storage] directory has a NUL character in it"),
    ("a path that is too long", f'[storage]\ndirectory = "{"a" * 5000}"\n', "line 2: [storage] directory names a folder that"),
    ("nested without end", "x=" + "[" * 5000, "nests lists or tables deeper than any configuration does"),
    ("too large", "[web]\nport = 99999\n", "line 2: [web] port is 99999; it must be 65535 or less."),
    ("too small", "[model]\nthreads = 0\n", "line 2: [model] threads is 0; it must be 1 or more."),
    ("not a number", "[sampling]\ntop_p = nan\n", "line 2: [sampling] top_p is nan; it must be"),
    (
        "out of the sampler's bounds",
        "[sampling]\ntemperature = 9\n",
        "line 2: [sampling] temperature is 9; it must be 5 or less.",
    ),
    (
        "no such preset",
        '[sampling]\npreset = "limrp"\n',
        'line 2: [sampling] preset is "limrp"; it must be one of limarp, plain,',
    ),
    (
        "an unknown stage",
        f"[sampling]\norder = {[*ORDER[:-1], 'top_a']}\n",
        "line 2: [sampling] order is penalties, dry, top_k, tail_free, typical, top_p, min_p, xtc, top_a; it must name each of",
    ),
    ("a stage twice", f"[sampling]\norder = {[*ORDER, 'dry']}\n", "it must name each of these stages once: penalties, dry,"),
    ("too few stages", f"[sampling]\norder = {list(ORDER[1:])}\n", "it must name each of these stages once: penalties, dry,"),
    ("no list of stages", '[sampling]\norder = "dry"\n', '[sampling] order is "dry"; it must be a list in square brackets.'),
    (
        "a number for a breaker",
        "[sampling]\ndry_breakers = [1]\n",
        "[sampling] dry_breakers holds 1; each must be text in quotes.",
    ),
    ("an empty breaker", '[sampling]\ndry_breakers = [""]\n', "dry_breakers holds ''; each text must have between 1 and 40"),
    (
        "a word for a token",
        "[sampling.logit_bias]\nhello = 1.0\n",
        '[sampling] logit_bias has the key "hello"; each key must be',
    ),
    (
        "too much of a bias",
        "[sampling.logit_bias]\n7 = 101\n",
        "[sampling] logit_bias of token 7 is 101.0; it must lie between",
    ),
    ("a text for a bias", '[sampling.logit_bias]\n7 = "1"\n', 'line 2: [sampling.logit_bias] 7 is "1"; it must be a number.'),
    ("no biases", "[sampling]\nlogit_bias = 3\n", "logit_bias has to be a section of its own, written [sampling.logit_bias]."),
    (
        "infinitely dry",
        "[sampling]\ndry_multiplier = inf\n",
        "[sampling] dry_multiplier is inf; it must be a number that is neither",
    ),
    (
        "a wrong name of an adapter",
        '[[model.adapters]]\nname = "a"\npath = "understudy.toml"\n[[model.adapters]]\n\nname = "a:b"\n',
        'line 6: [[model.adapters]] name is "a:b"; it must be a word of up to 64',
    ),
    (
        "an adapter without a file",
        '[[model.adapters]]\nname = "a"\n',
        'line 1: [[model.adapters]] needs the key "path".',
    ),
    (
        "an unknown key of an adapter",
        '[[model.adapters]]\nname = "a"\npath = "understudy.toml"\nscalle = 2\n',
        'line 4: [[model.adapters]] has no key "scalle"; did you mean "scale"?',
    ),
    (
        "an adapter twice",
        2 * '[[model.adapters]]\nname = "a"\npath = "understudy.toml"\n',
        'line 1: [model] adapters holds two called "a"; give each a name of its own.',
    ),
    (
        "a cache that cannot be",
        '[model]\nkv_type = "q8_0"\nflash_attention = "off"\n',
        'line 3: [model] flash_attention is "off", but kv_type "q8_0" needs it;',
    ),
    (
        "a story's unknown adapter",
        '[story]\nadapter = "noir"\n',
        'line 2: [story] adapter is "noir", but no [[model.adapters]]',
    ),
    (
        "two places for a model",
        '[model]\npath = "understudy.toml"\n[engine]\nurl = "http://host"\n',
        "line 4: [engine] url names an engine elsewhere, and [model] path a model to run here;",
    ),
    (
        "a template that is elsewhere",
        '[model]\nformat = "gguf"\n[engine]\nurl = "http://host"\n',
        'line 2: [model] format is "gguf", but [engine] url is elsewhere',
    ),
    ("no address", '[engine]\nurl = "gpu-host"\n', "line 2: [engine] url is no address of an engine; write one like"),
    ("a value for a nested section", "[engine]\ncache = 3\n", "cache has to be a section of its own, written [engine.cache]."),
    ("an unknown nested section", "[engine.cach]\n", 'line 1: [engine] has no key "cach"; did you mean "cache"?'),
    ("an unknown nested key", "[engine.cache]\nramgib = 1\n", '[engine.cache] has no key "ramgib"; did you mean "ram_gib"?'),
    ("less than no cache", "[engine.cache]\ndisk_gib = -1\n", "line 2: [engine.cache] disk_gib is -1; it must be 0 or more."),
    ("not one of", '[model]\nrating = "all"\n', "line 2: [model] rating is \"all\"; it must be one of 'general' or 'adult'."),
    ("a value for a section", "web = 3\n", "line 1: web has to be a section of its own, written [web]."),
    ("a section for a value", "[web.port]\nx = 1\n", "line 1: [web] port is a section; it must be a whole number."),
    ("an open address", '[web]\nhost = "0.0.0.0"\n', "line 2: [web] host is no address of this machine alone"),
    ("a token to guess", '[web]\noperator_token = "hunter2"\n', "line 2: [web] operator_token has less than 16 characters"),
    ("no such database", '[storage]\nurl = "mysql://h/x"\n', "line 2: [storage] url is no database address; write sqlite:"),
    ("no such model", '[model]\npath = "no.gguf"\n', "line 2: [model] path names {folder}/no.gguf, which does not exist"),
    ("no model at all", '[model]\npath = ""\n', "line 2: [model] path names nothing; write a path, or take the key out."),
    (
        "more than an id",
        f"[discord]\nguilds = [1, {2**64}]\n",
        f"line 2: [discord] guilds holds {2**64}; each must be below {2**64}.",
    ),
    ("a table's place in a list", "[model]\nadapters = [1]\n", "[model] adapters holds 1; each must be a section, written"),
    ("no host", '[web]\nhost = "a..b"\n', "line 2: [web] host is no host; write a name or an address"),
    ("a host in brackets", '[engine.host]\nhost = "[::1]"\n', "line 2: [engine.host] host is no host; write a name"),
    ("an address with a secret", '[engine]\nurl = "http://h/?key=x"\n', "[engine] url holds more than an address; give the"),
    ("a folder for a file", '[model]\npath = "."\n', "line 2: [model] path names {folder}, which is not a file"),
    ("no such scene", '[scene]\nfile = "no.toml"\n', "line 2: [scene] file names {folder}/no.toml, which does not exist"),
    ("two scenes", SCENE.replace("[scene]", '[scene]\nfile = "understudy.toml"'), "line 3: [scene] file names a whole scene"),
    ("half a scene", '[player]\nname = "A"\ndescription = "B"\n', "[scene] is missing"),
    ("a scene of nothing", SCENE.replace('scenario = "A', 'opening = "A'), 'line 2: [scene] needs either the key "file" or'),
    ("a nameless character", SCENE.replace('name = "Mira"', ""), 'line 6: [character] needs the key "name".'),
    ("a header for a name", SCENE.replace("Mira", "Mira: x"), 'line 7: [character] name is "Mira: x"; it must be one line'),
    ("a name of two lines", SCENE.replace("Mira", "Mi\\nra"), "line 7: [character] name is"),
    (
        "an empty description",
        SCENE.replace("An innkeeper.", "  "),
        'line 8: [character] description is "  "; it must be some text.',
    ),
    ("broken TOML", "[web]\nport = \n", "is not TOML: Invalid value (at line 2, column 8)."),
    ("a key twice", "[web]\nport = 1\nport = 2\n", "is not TOML: Cannot overwrite a value (at line 3, column 9)."),
]


@pytest.mark.parametrize(
    ("text", "sentence"), [(text, said) for _, text, said in MISTAKES], ids=[name for name, *_ in MISTAKES]
)
def test_a_mistake_is_named_with_its_line_and_what_would_be_right(tmp_path: Path, text: str, sentence: str) -> None:
    said = mistakes_in(tmp_path, text)
    assert any(sentence.format(folder=tmp_path) in each for each in said), said


def test_every_mistake_is_told_at_once_and_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "scene.toml").write_text(SCENE.replace("general", "genral"))
    said = mistakes_in(
        tmp_path,
        '[web]\nport = "x"\nhots = 1\n[model]\nthreads = 0\n[scene]\nfile = "scene.toml"\n',
        UNDERSTUDY_STORAGE_URI="x",
    )
    assert [each[:6] for each in said[:3]] == ["line 2", "line 3", "line 5"]
    assert [each.split(": ")[0] for each in said[3:5]] == [f"{tmp_path / 'scene.toml'}, line {line}" for line in (4, 9)]
    assert said[5:] == ('The environment variable UNDERSTUDY_STORAGE_URI is not known; did you mean "UNDERSTUDY_STORAGE_URL"?',)


def test_lines_are_right_beside_texts_of_several_lines(tmp_path: Path) -> None:
    text = SCENE.replace('"An innkeeper."', '"""\nport = 3\n[web]\n"""') + "[web]\nport = -1\n"
    [sentence] = mistakes_in(tmp_path, text)
    assert sentence.startswith(f"line {text.splitlines().index('port = -1') + 1}: [web] port")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory); `understudy init` writes an example."),
        (b"\xff\xfe\x00", "is not a text file in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "understudy.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigMistakes, match=said.replace("(", r"\(").replace(")", r"\)")):
        read(path, {})


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "understudy.toml"
    path.write_bytes(b"\xef\xbb\xbf[web]\nport = 5\n")
    assert read(path, {}).web.port == 5


@pytest.mark.parametrize("form", ["inline", "file"])
def test_a_scene_of_ones_own_is_played(tmp_path: Path, form: str) -> None:
    (tmp_path / "scene.toml").write_text(SCENE)
    config = config_of(tmp_path, SCENE if form == "inline" else '[scene]\nfile = "scene.toml"\n')
    assert config.scene == read_scene(tmp_path / "scene.toml")
    assert config.scene.character.card.name == "Mira"
    assert config.scene.rating is Rating.GENERAL


def test_what_nobody_rated_is_unrated(tmp_path: Path) -> None:
    config = config_of(tmp_path, SCENE.replace('rating = "general"', "") + f'[model]\npath = "{tmp_path}/understudy.toml"\n')
    assert config.scene.rating is Rating.UNRATED
    assert config.scene.character.card.rating is Rating.UNRATED
    assert config.model.stated_rating is None


def test_the_configuration_cannot_be_changed() -> None:
    config: Any = defaults({})
    with pytest.raises(AttributeError):
        config.web.port = 1


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_what_is_no_real_number_is_called_so(tmp_path: Path, number: str) -> None:
    [sentence] = mistakes_in(tmp_path, f"[engine]\npatience_seconds = {number}\n")
    assert sentence.endswith("it must be a number that is neither infinite nor nan.")


def test_a_mistake_is_one_line_whatever_was_written(tmp_path: Path) -> None:
    [sentence] = mistakes_in(tmp_path, '[engine]\nsession_header = "X-One\\nX-Two"\n')
    assert "\n" not in sentence
