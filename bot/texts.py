"""Every sentence that the program itself says to players. It knows nothing of why they are said."""

NO_SESSION = "There is no story in this place."
BROKEN = "The reply broke off: {reason} What was written is kept; use retry or continue when the model is back."
NOTHING_WRITTEN = "No reply came: {reason} Use retry when the model is back."
SILENT = "The model had nothing to say. Use retry, or post again."
NOTHING_TO_ADD = "The model had nothing to add. Use retry, or post again."
POST_TOO_LONG = (
    "The newest posts are too long for the model to read ({tokens} tokens; {limit} fit). Edit your post to be shorter"
    " and use retry, or use undo."
)
INTERNAL = "Something went wrong inside; the story is as it was before. The operator's log says what: look for {event}."
SEND_FAILED = "A post could not be shown: {reason}"
