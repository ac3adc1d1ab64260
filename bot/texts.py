"""The sentences that the walk itself says to players. Those of a refusal stand with the rule that refuses."""

from bot.limits import in_words

NO_SESSION = "There is no story in this place."
BROKEN = "The reply broke off: {reason} What was written is kept; use continue or retry to have it written on or anew."
NOTHING_WRITTEN = "No reply came: {reason} Use retry to have it written."
SILENT = "The model had nothing to say. Use retry, or post again."
LOADING = "The model does not answer yet; it may still be loading. The reply comes as soon as it does."
NOTHING_TO_ADD = "The model had nothing to add. Use retry, or post again."
POST_TOO_LONG = "the newest post is too long for the model ({tokens} tokens; {limit} fit). Edit it to be shorter first."
INTERNAL = "Something went wrong inside; the story is as it was before. The operator's log says what: look for {event}."
PAGE_ENDS = "The program is ending. What you post now is kept, and answered when it is back."
ENDING = "The program is ending; ask again when it is back, in a moment."
DEFECT = "something went wrong inside, and the operator's log says what."
NO_COMMAND = "There is no command {name}; ask for help to see those that there are."
NOT_YOURS = {
    "player": "Only those who play in this story can do that; post in it first.",
    "table": "Only who began this story, or a moderator of this place, can do that.",
    "operator": "Only the operator of this program can do that.",
}
MINOR = "{what} was refused: it speaks of somebody who is, or may be, under 18 ({reason}). Nothing of it was kept."
BLOCKED = "{what} was refused: the operator's list does not allow it. Nothing of it was kept."
STOPPED_TEXT = "The reply was stopped and taken back: it {fault}. Retry has another one written."
ADULT_CARD = "{name} is made for adults, and this story is for a general audience; choose another character."
BAD_STORY = "The story was refused for its post number {number}, which may not be part of a story here. Nothing of it was kept."
UNFIT_POST = (
    "The story cannot be played on: by the rules that hold here, its post number {number} may not be part of it ({reason})."
    " Delete that post, or rewind to it, and the story is open again."
)
UNFIT_TEXT = (
    "The story cannot be played on: by the rules that hold here, its {what} may not be part of it ({reason})."
    " Change it or take it out, and the story is open again; else begin another."
)
NUDGE = "It is {name}'s turn; the story waits."
CAME_FROM = "This story comes from {place}."
BRANCHED = "The story goes on another way in {place}."
GOES_ON = "This part ends here. The story goes on in {place}."
NOT_TAKEN = " This post was not taken into the story; post it again when it can be played."
LOCKED = "This part of the story has ended; it goes on in another place. What was posted is not in it."
LOCKED_COMMAND = "This part of the story has ended and is only read; it goes on in another place."
PAUSED_COMMAND = "The story is paused; unpause takes it up again."
PAUSED = "The story is paused, and this post is not in it; unpause takes the story up again."
FORGOTTEN = "[These words were taken out at the wish of the player who wrote them.]"
SOMEONE = "Someone"
MODEL_RATED = " The model is rated by whoever runs its engine."


def queue_full(seconds: float) -> str:
    """Why no reply came to a queue that stayed full; `seconds` is when the engine asks to come back."""
    return f"the model's queue is full; there should be room again in {in_words(seconds)}."


def waits_for_queue(seconds: float) -> str:
    """What is shown while a full queue is waited for."""
    return f"The model's queue is full: asking again in {in_words(seconds)}."


def in_line(position: int, seconds: float | None) -> str:
    """Where a reply stands that waits for the model; `position` is from 1."""
    ahead = "next in line" if position == 1 else f"number {position} in line"
    if seconds is None:
        return f"Waiting for the model: {ahead}."
    rounded = max(5 * round(seconds / 5), 5)
    about = f"{rounded} seconds" if rounded < 120 else f"{round(seconds / 60)} minutes"  # noqa: PLR2004 - two minutes
    return f"Waiting for the model: {ahead}, about {about}."
