"""Secrets come from the environment, from files and from systemd's credentials, in this order, and are shown nowhere."""

import os
from pathlib import Path

import pytest

from adapters.config import Config, Errand, given, without_secrets
from adapters.config.secrets import CREDENTIALS, FILE, SECRETS, VARIABLES, Secret, parts_of
from bot.errors import ConfigMistakes
from tests.adapters.config.test_reading import SECRET, config_of, mistakes_in

CONFIGURED = [each for each in SECRETS if each.keys]
IDS = [each.variable for each in CONFIGURED]


def worth(number: int, name: str) -> str:
    """A secret that any key takes."""
    return f"postgresql://me:hunter{number}@host/{name}" if name == "url" else f"hunter{number}-of-many-letters"


def value_of(config: Config, keys: tuple[str, ...]) -> str:
    found: object = config
    for key in keys:
        found = getattr(found, key)
    return str(found)


@pytest.mark.parametrize("secret", CONFIGURED, ids=IDS)
def test_every_secret_comes_from_each_source_and_the_first_counts(tmp_path: Path, secret: Secret) -> None:
    section, key = secret.keys
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / secret.credential).write_text(worth(3, key) + "\n")
    (tmp_path / "of-variable").write_text(worth(2, key) + "\n")
    (tmp_path / "of-key").write_text(worth(4, key) + "\n")
    in_file = f'[{section}]\n{key}_file = "of-key"\n'
    in_text = f'[{section}]\n{key} = "{worth(5, key)}"\n'
    of_credential = {CREDENTIALS: str(tmp_path / "credentials")}
    of_file = {**of_credential, secret.variable + FILE: str(tmp_path / "of-variable")}
    of_variable = {**of_credential, secret.variable: worth(1, key)}
    for number, environment, text in [
        (1, of_variable, in_text),
        (2, of_file, in_text),
        (3, of_credential, in_file),
        (4, {}, in_file),
        (5, {}, in_text),
    ]:
        config = config_of(tmp_path, text, **environment)
        assert value_of(config, secret.keys) == worth(number, key)
        shown = f"{config!r} {config} {Errand(config=config, log_level=30).line!r}"
        assert "hunter" not in shown
        assert worth(number, key) in config.secrets


@pytest.mark.parametrize("secret", SECRETS, ids=[each.variable for each in SECRETS])
def test_what_a_login_needs_comes_from_the_same_sources(tmp_path: Path, secret: Secret) -> None:
    (tmp_path / secret.credential).write_text("of the credential")
    (tmp_path / "file").write_text("of the file\n\n")
    assert given(secret.variable, {}) == ""
    assert given(secret.variable, {CREDENTIALS: str(tmp_path)}) == "of the credential"
    assert given(secret.variable, {CREDENTIALS: str(tmp_path), secret.variable + FILE: str(tmp_path / "file")}) == "of the file"
    assert given(secret.variable, {secret.variable: "of the variable"}) == "of the variable"


def test_what_is_wrong_with_a_source_is_told_beside_the_other_mistakes_and_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfehunter2")
    (tmp_path / "token").write_text("hunter2")
    said = mistakes_in(
        tmp_path,
        '[discord]\ntoken = "hunter2"\ntoken_file = "token"\n[web]\nport = "x"\n',
        UNDERSTUDY_STORAGE_URL_FILE=str(tmp_path / "binary"),
        UNDERSTUDY_ENGINE_TOKEN_FILE=str(tmp_path / "not-there"),
    )
    assert said == (
        f"UNDERSTUDY_STORAGE_URL_FILE names {tmp_path}/binary, which is no text in UTF-8.",
        f"UNDERSTUDY_ENGINE_TOKEN_FILE names {tmp_path}/not-there, which cannot be read (No such file or directory).",
        "[discord] token and token_file are both there; take one of them out.",
        'line 5: [web] port is "x"; it must be a whole number.',
    )
    assert mistakes_in(tmp_path, "", UNDERSTUDY_DISCORD_TOKEN_FILE=str(tmp_path / "empty")) == (
        f"UNDERSTUDY_DISCORD_TOKEN_FILE names {tmp_path}/empty, which is empty.",
    )
    assert mistakes_in(tmp_path, "", UNDERSTUDY_DISCORD_TOKEN="hunter2", UNDERSTUDY_DISCORD_TOKEN_FILE="x") == (  # noqa: S106  a made-up one
        "UNDERSTUDY_DISCORD_TOKEN and UNDERSTUDY_DISCORD_TOKEN_FILE are both set; take one of them away.",
    )
    (wrong,) = mistakes_in(tmp_path, '[engine]\ntoken_file = "not-there"\n')
    assert wrong.startswith("line 2: [engine] token_file names")


def test_a_secret_of_a_file_that_is_wrong_is_told_by_its_file_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("mysql://me:hunter2@host/x")
    (sentence,) = mistakes_in(tmp_path, "", UNDERSTUDY_STORAGE_URL_FILE=str(tmp_path / "url"))
    assert sentence.startswith(
        f"The file {tmp_path}/url (of UNDERSTUDY_STORAGE_URL_FILE): [storage] url is no database address"
    )
    assert "hunter2" not in sentence
    for section in ("discord", "engine"):
        for shown in mistakes_in(tmp_path, f"[{section}]\ntoken = 483920\n"):
            assert "483920" not in shown


def test_a_login_with_a_source_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigMistakes, match="cannot be read"):
        given("UNDERSTUDY_MATRIX_PASSWORD", {"UNDERSTUDY_MATRIX_PASSWORD_FILE": str(tmp_path / "none")})


def test_a_child_gets_none_of_them() -> None:
    kept = without_secrets({**dict.fromkeys(VARIABLES, "x"), CREDENTIALS: "x", "PATH": os.defpath})
    assert kept == {"PATH": os.defpath}


def test_the_password_of_an_address_is_hidden_as_it_stands_and_as_it_is_meant() -> None:
    assert parts_of("http://me:a%40b@host") == ("http://me:a%40b@host", "a%40b", "a@b")
    behind = "postgresql://me@host/x?ssl=require&password=a%40b"
    assert parts_of(behind) == (behind, "a%40b", "a@b")
    assert parts_of("http://host") == parts_of(None) == ()
    assert parts_of("http://[me:secret") == ("http://[me:secret",)


def test_the_environment_goes_before_the_file_and_its_secret_is_never_shown(tmp_path: Path) -> None:
    config = config_of(tmp_path, '[storage]\nurl = "sqlite:///x.db"\n', UNDERSTUDY_STORAGE_URL=SECRET)
    assert config.storage.url == SECRET
    assert "hunter2" not in f"{config!r} {config}"


def test_the_token_of_the_engine_comes_from_the_environment_first_and_is_never_shown(tmp_path: Path) -> None:
    text = '[engine]\ntoken = "from-the-file"\n'
    both = config_of(tmp_path, text, UNDERSTUDY_ENGINE_TOKEN="hunter2")  # noqa: S106 a made-up one
    alone = config_of(tmp_path, text)
    assert [both.engine.token, alone.engine.token] == ["hunter2", "from-the-file"]
    assert not any(token in f"{config!r} {config}" for config in (both, alone) for token in ("hunter2", "from-the-file"))


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("", {"UNDERSTUDY_ENGINE_TOKEN": "hunter2 with spaces"}),
        ("[engine]\ntoken = 483920\n", {}),
        ('[engine]\nurl = "http://me:hunter2@host"\n', {}),
        ('[engine]\nurl = "hunter2"\n', {}),
        ("[engine]\nurl = 483920\n", {}),
    ],
)
def test_what_is_wrong_with_a_secret_of_the_engine_does_not_show_it(
    tmp_path: Path, text: str, environment: dict[str, str]
) -> None:
    [sentence] = mistakes_in(tmp_path, text, **environment)
    assert "[engine] " in sentence
    assert not any(secret in sentence for secret in ("hunter2", "483920"))


def test_an_empty_variable_of_the_environment_sets_nothing(tmp_path: Path) -> None:
    text = '[engine]\ntoken = "from-the-file"\n[storage]\nurl = "sqlite:///x.db"\n'
    config = config_of(tmp_path, text, UNDERSTUDY_ENGINE_TOKEN="", UNDERSTUDY_STORAGE_URL="")
    assert (config.engine.token, config.storage.url) == ("from-the-file", "sqlite:///x.db")


def test_a_wrong_secret_is_named_and_not_shown(tmp_path: Path) -> None:
    [sentence] = mistakes_in(tmp_path, "", UNDERSTUDY_STORAGE_URL="mysql://user:hunter2@host/x")
    assert sentence.startswith("The environment variable UNDERSTUDY_STORAGE_URL: [storage] url is no database address")
    assert "hunter2" not in sentence


def test_a_secret_of_the_wrong_type_is_not_shown_either(tmp_path: Path) -> None:
    [sentence] = mistakes_in(tmp_path, "[storage]\nurl = 483920\n")
    assert "483920" not in sentence
