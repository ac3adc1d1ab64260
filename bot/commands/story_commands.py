"""The commands on the story itself, its replies and its posts. They are only named here; nothing is carried out."""

from bot.commands.spec import STORY_LENGTH, TEXT_LENGTH, CommandSpec, Option, OptionKind, Topic, Who
from bot.story.settings import Length

LENGTHS = tuple(Length)
SESSION_LENGTHS = (*LENGTHS, "auto", "none")
"""`auto` follows the length of the newest post; `none` leaves it to the model."""

SCENARIO_LENGTH = 4_000
_TURN = Option("turn", "The number of the post; or answer the post itself", OptionKind.TURN, required=True)

STORY_COMMANDS = (
    CommandSpec(
        "start",
        "Begin a story here with a character",
        Topic.STORY,
        Who.ANYONE,
        (
            Option("character", "Who the model plays", OptionKind.CHARACTER, required=True),
            Option("scenario", "What the story is about", OptionKind.LONG_TEXT, most_length=SCENARIO_LENGTH),
            Option("length", "How long the replies are", OptionKind.CHOICE, choices=SESSION_LENGTHS, by_name=True),
        ),
        is_story=True,
        examples=("start Hester", "start Hester A stranger asks for shelter. length:long"),
    ),
    CommandSpec("end", "End the story here; for a while, resume brings it back", Topic.STORY, Who.TABLE, is_story=True),
    CommandSpec(
        "resume",
        "Bring back the story that ended here last, or one that you began elsewhere",
        Topic.STORY,
        Who.ANYONE,
        (Option("story", "Whose story: the character's name, of one that you began", OptionKind.CHARACTER),),
        is_story=True,
        examples=("resume", "resume Mira"),
    ),
    CommandSpec(
        "adopt",
        "Make a story of the posts that stand here already",
        Topic.STORY,
        Who.ANYONE,
        (Option("character", "Who the model plays, and has played", OptionKind.CHARACTER, required=True),),
        is_story=True,
        examples=("adopt Mira",),
    ),
    CommandSpec(
        "branch",
        "Go on from a post in a new thread, with a link back",
        Topic.STORY,
        Who.PLAYER,
        (_TURN,),
        is_story=True,
        examples=("branch 12",),
    ),
    CommandSpec(
        "part",
        "Close this story and go on with its next part in a new thread",
        Topic.STORY,
        Who.TABLE,
        (
            Option(
                "summary", "What happened so far; without it, the model sums it up", OptionKind.LONG_TEXT, most_length=8_000
            ),
            Option("title", "What the next part is called", OptionKind.TEXT, by_name=True),
        ),
        is_story=True,
        examples=('part title:"The Long Winter" They reached the pass at last.',),
    ),
    CommandSpec(
        "export",
        "Take the story home as a file",
        Topic.STORY,
        Who.PLAYER,
        (
            Option(
                "format",
                "Which kind of file; Markdown unless you say another",
                OptionKind.CHOICE,
                choices=("markdown", "html", "epub", "jsonl", "card"),
            ),
        ),
        private=True,
        examples=("export epub",),
    ),
    CommandSpec(
        "import",
        "Go on with a SillyTavern chat here",
        Topic.STORY,
        Who.ANYONE,
        (Option("file", "The chat, a .jsonl file", OptionKind.FILE, required=True),),
        is_story=True,
    ),
    CommandSpec("status", "Show how this story is played and what the model can see of it", Topic.STORY, Who.ANYONE),
    CommandSpec("why", "Say why the last post was not answered", Topic.STORY, Who.ANYONE, private=True),
)

REPLY_COMMANDS = (
    CommandSpec(
        "retry",
        "Have the last reply written anew, as another version",
        Topic.REPLIES,
        Who.PLAYER,
        (Option("length", "How long this version is", OptionKind.CHOICE, choices=LENGTHS),),
        is_story=True,
        examples=("retry", "retry short"),
    ),
    CommandSpec(
        "swipe",
        "Show another version of the last reply",
        Topic.REPLIES,
        Who.PLAYER,
        (Option("side", "The earlier or the later one", OptionKind.CHOICE, required=True, choices=("left", "right")),),
        is_story=True,
        examples=("swipe left",),
    ),
    CommandSpec(
        "continue", "Have the last reply written on, or the story answered now", Topic.REPLIES, Who.PLAYER, is_story=True
    ),
    CommandSpec("shorter", "Have the last reply written anew, one length shorter", Topic.REPLIES, Who.PLAYER, is_story=True),
    CommandSpec("longer", "Have the last reply written anew, one length longer", Topic.REPLIES, Who.PLAYER, is_story=True),
    # Stopping cannot wait for its turn: it would wait for the very reply that it is to stop.
    CommandSpec("stop", "Stop the reply that is being written", Topic.REPLIES, Who.PLAYER),
    CommandSpec(
        "length",
        "Set how long the replies of this story are",
        Topic.REPLIES,
        Who.PLAYER,
        (
            Option(
                "length",
                "A length; auto follows your posts, none leaves it to the model",
                OptionKind.CHOICE,
                required=True,
                choices=SESSION_LENGTHS,
            ),
        ),
        is_story=True,
        examples=("length medium", "length auto"),
    ),
    CommandSpec(
        "speak",
        "Say which character answers next",
        Topic.REPLIES,
        Who.PLAYER,
        (Option("character", "One of the cast", OptionKind.CHARACTER, required=True),),
        is_story=True,
        examples=("speak Mira",),
    ),
)

POST_COMMANDS = (
    CommandSpec("undo", "Take back the last player's post and all that followed", Topic.POSTS, Who.PLAYER, is_story=True),
    CommandSpec(
        "edit",
        "Change the text of your post or of a reply",
        Topic.POSTS,
        Who.PLAYER,
        (_TURN, Option("text", "The new text", OptionKind.LONG_TEXT, required=True, most_length=STORY_LENGTH)),
        is_story=True,
        examples=("edit 12 Mira closed the ledger.",),
    ),
    CommandSpec(
        "delete",
        "Take one post out of the story",
        Topic.POSTS,
        Who.PLAYER,
        (_TURN,),
        is_story=True,
        examples=("delete 12",),
    ),
    CommandSpec(
        "rewind",
        "Take back a post and everything after it",
        Topic.POSTS,
        Who.TABLE,
        (_TURN,),
        is_story=True,
        examples=("rewind 12",),
    ),
    CommandSpec(
        "ooc",
        "Say something beside the story; the model never reads it",
        Topic.POSTS,
        Who.PLAYER,
        (Option("text", "What you want to say", OptionKind.LONG_TEXT, required=True, most_length=SCENARIO_LENGTH),),
        is_story=True,
        examples=("ooc I am away until Friday.",),
    ),
    CommandSpec(
        "roll",
        "Roll dice; the model is told what came of it",
        Topic.POSTS,
        Who.PLAYER,
        (
            Option("dice", "Such as 2d6+1, 4d6kh3 or adv+5", OptionKind.TEXT, required=True, most_length=TEXT_LENGTH),
            Option("reason", "What you roll for", OptionKind.TEXT, most_length=TEXT_LENGTH),
        ),
        is_story=True,
        examples=("roll 2d6+1 picking the lock", 'roll "2d6 + 1" picking the lock'),
    ),
)
