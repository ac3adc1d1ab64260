"""The commands on who is in the story and on what the model is told beside it. They are only named here."""

from bot.commands.spec import TEXT_LENGTH, CommandSpec, Option, OptionKind, Topic, Who
from bot.commands.story_commands import SCENARIO_LENGTH

SUMMARY_LENGTH = 8_000
NOTE_LENGTH = 2_000
DEEPEST_NOTE = 100

_IN_LIBRARY = Option("character", "A character that was imported", OptionKind.CHARACTER, required=True)
_IN_CAST = Option("character", "One of the cast", OptionKind.CHARACTER, required=True)


def _numbered(what: str) -> tuple[Option, ...]:
    return (Option("number", f"The number of the {what} in status", OptionKind.NUMBER, required=True, least=1, most=9_999),)


CAST_COMMANDS = (
    CommandSpec(
        "persona set",
        "Say who you are in this story",
        Topic.CAST,
        Who.ANYONE,
        (
            Option("name", "Your name in the story", OptionKind.TEXT, required=True),
            Option("description", "What the model knows of you", OptionKind.LONG_TEXT, most_length=SCENARIO_LENGTH),
        ),
        is_story=True,
        private=True,
        examples=('persona set "Tobias Vane" A weary, loyal soldier.',),
    ),
    CommandSpec("persona show", "Show who you are in this story and by default", Topic.CAST, Who.ANYONE, private=True),
    CommandSpec("persona clear", "Give up your part in this story", Topic.CAST, Who.PLAYER, is_story=True, private=True),
    CommandSpec("persona default", "Begin other stories as who you are in this one", Topic.CAST, Who.PLAYER, private=True),
    CommandSpec(
        "character import",
        "Take a character card into the library",
        Topic.CAST,
        Who.ANYONE,
        (Option("file", "The card: PNG, JSON or CHARX", OptionKind.FILE, required=True),),
        private=True,
    ),
    CommandSpec(
        "character show",
        "Show what is known of a character",
        Topic.CAST,
        Who.ANYONE,
        (_IN_LIBRARY,),
        private=True,
        examples=("character show Mira",),
    ),
    CommandSpec("character list", "List the characters in the library", Topic.CAST, Who.ANYONE, private=True),
    # The library is shared by all places of this program, so that only its operator takes a character from all of them.
    CommandSpec(
        "character delete",
        "Take a character out of the library",
        Topic.CAST,
        Who.OPERATOR,
        (_IN_LIBRARY,),
        private=True,
        examples=("character delete Mira",),
    ),
    CommandSpec(
        "character add",
        "Have the model play one more character in this story",
        Topic.CAST,
        Who.TABLE,
        (_IN_LIBRARY,),
        is_story=True,
        examples=("character add Joren",),
    ),
    CommandSpec(
        "character remove",
        "Have the model play a character no longer in this story",
        Topic.CAST,
        Who.TABLE,
        (_IN_CAST,),
        is_story=True,
        examples=("character remove Joren",),
    ),
)

MEMORY_COMMANDS = (
    CommandSpec(
        "scenario",
        "Set what the story is about",
        Topic.MEMORY,
        Who.TABLE,
        (Option("text", "The scenario", OptionKind.LONG_TEXT, required=True, most_length=SCENARIO_LENGTH),),
        is_story=True,
        examples=("scenario A stranger asks for shelter in a rain-soaked inn.",),
    ),
    CommandSpec(
        "note",
        "Set the author's note; without a text, it is taken away",
        Topic.MEMORY,
        Who.PLAYER,
        (
            Option("text", "What the model is told near the end of the story", OptionKind.LONG_TEXT, most_length=NOTE_LENGTH),
            Option("depth", "How many posts stand after it", OptionKind.NUMBER, most=DEEPEST_NOTE, by_name=True),
        ),
        is_story=True,
        examples=("note The storm grows worse. depth:2",),
    ),
    CommandSpec(
        "pin",
        "Have the model always remember a fact",
        Topic.MEMORY,
        Who.PLAYER,
        (Option("text", "The fact", OptionKind.LONG_TEXT, required=True, most_length=TEXT_LENGTH),),
        is_story=True,
        examples=("pin Tobias lost his left glove at the ford.",),
    ),
    CommandSpec(
        "unpin",
        "Have the model no longer remember a pinned fact",
        Topic.MEMORY,
        Who.PLAYER,
        _numbered("fact"),
        is_story=True,
        examples=("unpin 2",),
    ),
    CommandSpec(
        "lore add",
        "Have the model told something when the story touches it",
        Topic.MEMORY,
        Who.PLAYER,
        (
            Option(
                "keys", "Words that call it up, with commas between", OptionKind.TEXT, required=True, most_length=TEXT_LENGTH
            ),
            Option("text", "What the model is told then", OptionKind.LONG_TEXT, required=True, most_length=SCENARIO_LENGTH),
        ),
        is_story=True,
        examples=('lore add "lighthouse, beacon" The lighthouse has been dark for ten years.',),
    ),
    CommandSpec(
        "lore import",
        "Add a lorebook to this story",
        Topic.MEMORY,
        Who.TABLE,
        (Option("file", "The lorebook, a JSON file", OptionKind.FILE, required=True),),
        is_story=True,
    ),
    CommandSpec(
        "lore remove",
        "Take one entry out of the lore of this story",
        Topic.MEMORY,
        Who.PLAYER,
        _numbered("entry"),
        is_story=True,
        examples=("lore remove 3",),
    ),
    CommandSpec("summary show", "Show the summary of what the model no longer sees", Topic.MEMORY, Who.ANYONE),
    CommandSpec(
        "summary edit",
        "Put your own words in the place of the summary",
        Topic.MEMORY,
        Who.PLAYER,
        (Option("text", "The new summary", OptionKind.LONG_TEXT, required=True, most_length=SUMMARY_LENGTH),),
        is_story=True,
        examples=("summary edit Tobias found the map and lost the horse.",),
    ),
    CommandSpec("summary make", "Have the model sum up what it no longer sees", Topic.MEMORY, Who.PLAYER, is_story=True),
)
