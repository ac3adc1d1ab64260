"""The reference of the configuration is what the code has: every key, with what it may be."""

from pydantic import TypeAdapter

from adapters.config.reading import ENVIRONMENT, Sections
from tests.house.configuration_reference import PAGE, blocks, kind, properties, reference


def test_the_page_is_what_the_code_has() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: python -m tests.house.configuration_reference"


def test_every_key_is_told() -> None:
    schema = TypeAdapter(Sections).json_schema()
    told = {(block.section, key) for block in blocks() for key in block.keys}
    sections = {section for section, _ in told}
    known = {(section, key) for section in sections for key in properties(schema, section)}
    assert {(section, key) for section, key in known - told if f"{section}.{key}" not in sections} == set()
    assert {section.partition(".")[0] for section in sections} == set(schema["properties"])


def test_every_environment_variable_is_told() -> None:
    page = reference()
    assert [variable for variable in ENVIRONMENT if f"environment variable `{variable}`" not in page] == []


def test_what_a_value_may_be_is_said_in_words() -> None:
    assert kind({"type": "integer", "minimum": 1, "maximum": 2_000}) == "a whole number from 1 to 2,000"
    assert kind({"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}) == "a number of 0 or more"
    assert kind({"enum": ["on", "off"]}) == "one of `on`, `off`"
    assert kind({"type": "array", "items": {"type": "string"}}) == "a list of texts"
    assert kind({"type": "array", "items": {"type": "integer"}}) == "a list; each a whole number"
