"""The sentences that the walk itself says to players. Those of a refusal stand with the rule that refuses."""

NO_SESSION = "There is no story in this place."
BROKEN = "The reply broke off: {reason} What was written is kept; use continue or retry to have it written on or anew."
NOTHING_WRITTEN = "No reply came: {reason} Use retry to have it written."
SILENT = "The model had nothing to say. Use retry, or post again."
NOTHING_TO_ADD = "The model had nothing to add. Use retry, or post again."
POST_TOO_LONG = "the newest post is too long for the model ({tokens} tokens; {limit} fit). Edit it to be shorter first."
INTERNAL = "Something went wrong inside; the story is as it was before. The operator's log says what: look for {event}."
DEFECT = "something went wrong inside, and the operator's log says what."
NOT_TAKEN = " This post was not taken into the story; post it again when it can be played."
FORGOTTEN = "[These words were taken out at the wish of the player who wrote them.]"
SOMEONE = "Someone"
MODEL_RATED = " The model is rated by whoever runs its engine."


def in_line(position: int, seconds: float | None) -> str:
    """Where a reply stands that waits for the model; `position` is from 1."""
    ahead = "next in line" if position == 1 else f"number {position} in line"
    if seconds is None:
        return f"Waiting for the model: {ahead}."
    rounded = max(5 * round(seconds / 5), 5)
    about = f"{rounded} seconds" if rounded < 120 else f"{round(seconds / 60)} minutes"  # noqa: PLR2004 - two minutes
    return f"Waiting for the model: {ahead}, about {about}."
