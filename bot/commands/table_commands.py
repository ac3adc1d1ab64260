"""The commands on how people play together, and on themselves. They are only named here; nothing is carried out."""

from bot.commands.spec import TEXT_LENGTH, CommandSpec, Option, OptionKind, Topic, Who
from bot.story.settings import SpeakerPolicy, TurnPolicy

AGREEMENT_LENGTH = 300
REPORT_LENGTH = 1_000
LONGEST_NUDGE = 30 * 24 * 60
"""Minutes: thirty days."""

_PLAYER = Option("player", "Their name in the story", OptionKind.PLAYER, required=True)


def _agreement(name: str, one: str, what: str) -> tuple[CommandSpec, CommandSpec]:
    """Adding to and removing from what the table agreed on. Anyone who plays may ask for more of it, unseen by the others."""
    text = Option("text", what, OptionKind.TEXT, required=True, most_length=AGREEMENT_LENGTH)
    number = Option("number", f"The number of the {one} in status", OptionKind.NUMBER, required=True, least=1, most=9_999)
    add = CommandSpec(
        f"{name} add",
        f"{what}, from now on",
        Topic.TABLE,
        Who.PLAYER,
        (text,),
        is_story=True,
        private=True,
        examples=(f"{name} add harm to animals",),
    )
    remove = CommandSpec(
        f"{name} remove",
        f"Lift a {one}",
        Topic.TABLE,
        Who.TABLE,
        (number,),
        is_story=True,
        examples=(f"{name} remove 1",),
    )
    return add, remove


TABLE_COMMANDS = (
    CommandSpec(
        "settings",
        "Change how this story is played, or show it",
        Topic.TABLE,
        Who.TABLE,
        (
            Option("turns", "When the model writes", OptionKind.CHOICE, choices=tuple(TurnPolicy), by_name=True),
            Option("speakers", "Which character answers", OptionKind.CHOICE, choices=tuple(SpeakerPolicy), by_name=True),
            Option(
                "nudge",
                "Minutes until the player whose turn it is is reminded; 0: never",
                OptionKind.NUMBER,
                most=LONGEST_NUDGE,
                by_name=True,
            ),
            Option("adapter", "The style of writing that the engine offers; none: its own", OptionKind.TEXT, by_name=True),
            Option(
                "summaries",
                "Whether the model sums up what it no longer sees",
                OptionKind.CHOICE,
                choices=("on", "off"),
                by_name=True,
            ),
        ),
        is_story=True,
        examples=("settings turns:all_posted nudge:1440", "settings speakers:by_turn summaries:on"),
    ),
    CommandSpec("pause", "Stop the play: nothing joins the story until unpause", Topic.TABLE, Who.PLAYER, is_story=True),
    # Whoever pauses for a reason should not see the next player lift it.
    CommandSpec("unpause", "Play on after a pause", Topic.TABLE, Who.TABLE, is_story=True),
    *_agreement("lines", "line", "What never happens in this story"),
    *_agreement("veils", "veil", "What happens only out of sight in this story"),
    CommandSpec(
        "remove",
        "Have a player's posts join the story no longer",
        Topic.TABLE,
        Who.TABLE,
        (_PLAYER,),
        is_story=True,
        examples=("remove Tobias",),
    ),
    CommandSpec(
        "allow",
        "Let a removed player play again",
        Topic.TABLE,
        Who.TABLE,
        (_PLAYER,),
        is_story=True,
        examples=("allow Tobias",),
    ),
    CommandSpec(
        "report",
        "Tell the operator of this program what is wrong here",
        Topic.TABLE,
        Who.ANYONE,
        (Option("reason", "What is wrong", OptionKind.LONG_TEXT, required=True, most_length=REPORT_LENGTH),),
        private=True,
        examples=("report The last reply describes a real person.",),
    ),
)

OWN_COMMANDS = (
    CommandSpec("privacy show", "Show what is kept of you and for how long", Topic.YOU, Who.ANYONE, private=True),
    CommandSpec("privacy export", "Get everything that is kept of you as a file", Topic.YOU, Who.ANYONE, private=True),
    CommandSpec("privacy forget", "Delete everything that is kept of you, in every story", Topic.YOU, Who.ANYONE, private=True),
    CommandSpec(
        "help",
        "Show the commands, or one of them",
        Topic.YOU,
        Who.ANYONE,
        (Option("command", "A command or a group", OptionKind.TEXT, most_length=TEXT_LENGTH),),
        private=True,
        examples=("help retry", "help character"),
    ),
)
