"""From a SillyTavern chat file to turns. It knows no card, no place and no store; what it cannot hold, it keeps as text.

The format, as its builds have written it: one JSON object a line, a header first (with `user_name`, or "unused" in it, and
`chat_metadata`), then a message a line (`name`, `is_user`, `is_system`, `mes`, `swipes`, `swipe_id`, and much else).
"""

from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from bot.errors import Refused
from bot.ids import AuthorId
from bot.story.table import NOTE_DEPTH
from bot.story.turn import Role, Turn, Variant
from bot.transcripts.sillytavern.chat import NO_HEADER, UNNAMED, Chat, Extras, Json, ReadChat
from bot.transcripts.sillytavern.dates import read_date
from bot.transcripts.sillytavern.lines import parsed, plain, spelled

MOST_BYTES = 128 * 1024 * 1024
MOST_LINES = 50_000
LONGEST_LINE = 8 * 1024 * 1024
LONGEST_TEXT = 200_000
LONGEST_NAME = 200
MOST_SWIPES = 500
MOST_NAMED_LINES = 10

OWN_KEYS = ("name", "is_user", "is_system", "mes", "swipes", "swipe_id")
"""What of a message the turn itself holds."""

NO_CHAT = (
    "This is no chat of SillyTavern: its first line is neither a header nor a message."
    ' Use the .jsonl file that "Export as JSONL" gives.'
)


def read_chat(data: bytes, player: AuthorId | None = None) -> ReadChat:
    """The chat that a file holds; every message of the user becomes a post of `player`.

    What is damaged is left out and named in the notes. Raises Refused when the file is no chat or beyond what is taken.
    """
    if len(data) > MOST_BYTES:
        raise Refused(f"This file is larger than {MOST_BYTES // 1024**2} MiB, which is the most that is taken; divide it.")
    if data.count(b"\n") >= MOST_LINES:
        raise Refused(f"This file has more than {MOST_LINES:,} lines, which is the most that is taken; divide it.")
    reader = _Reader(player)
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if stripped := line.strip():
            reader.take(number, stripped)
    return reader.read()


def note_of(metadata: Json) -> tuple[str, int]:
    """The author's note that a chat's metadata holds and its depth; none where it is switched off (told every 0 posts)."""
    note, depth = metadata.get("note_prompt"), metadata.get("note_depth")
    is_off = metadata.get("note_interval") == 0
    told = plain(note)[:LONGEST_TEXT] if isinstance(note, str) and not is_off else ""
    return told, depth if isinstance(depth, int) and not isinstance(depth, bool) and 0 <= depth <= MOST_LINES else NOTE_DEPTH


def scenario_of(metadata: Json) -> str:
    """The scenario that this chat has instead of its character's; empty: none."""
    scenario = metadata.get("scenario")
    return plain(scenario)[:LONGEST_TEXT] if isinstance(scenario, str) else ""


def metadata_of(header: Json) -> Json:
    """What a header says about the chat as a whole."""
    found = header.get("chat_metadata")
    return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class _Reader:
    """Takes the lines one after the other."""

    player: AuthorId | None
    header: Json | None = None
    last: int = 0
    turns: list[Turn] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    sent: list[datetime | None] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    narrators: set[str] = field(default_factory=set)

    def take(self, number: int, line: bytes) -> None:
        if len(line) > LONGEST_LINE:
            raise Refused(f"Line {number:,} is longer than {LONGEST_LINE // 1024**2} MiB, which is the most that is taken.")
        is_first, self.last = self.last == 0, number
        found = parsed(line)
        if is_first:
            if found is None or not (_is_header(found) or _is_message(found)):
                raise Refused(NO_CHAT)
            self.header = found if _is_header(found) else None
        if found is not None and _is_message(found):
            self._message(number, found)
        elif not is_first:
            self.unread.append(number)

    def _message(self, number: int, line: Json) -> None:
        texts, selected = _versions(line, number)
        role = Role.ASIDE if line.get("is_system") is True else Role.PLAYER if line.get("is_user") is True else Role.CHARACTER
        author = self.player if line.get("is_user") is True else None
        variants = tuple(Variant(text) for text in texts)
        turn = Turn(len(self.turns), role, _name(line.get("name")), variants, selected, author)
        self.turns.append(turn)
        self.texts[turn.number] = spelled(_without_own(line, turn))
        self.sent.append(read_date(line.get("send_date")))
        extra = line.get("extra")
        if isinstance(extra, dict) and extra.get("type") == "narrator":
            self.narrators.add(turn.name)

    def read(self) -> ReadChat:
        if self.last == 0:
            raise Refused(NO_CHAT)
        header = self.header or {}
        metadata = metadata_of(header)
        note, depth = note_of(metadata)
        user = _header_name(header, "user_name") or self._first(Role.PLAYER)
        character = _header_name(header, "character_name") or self._first(Role.CHARACTER)
        named = tuple(_named(turn, user, character) for turn in self.turns)
        extras = Extras(NO_HEADER if self.header is None else spelled(self.header), self.texts)
        chat = Chat(user, character, named, note, depth, scenario_of(metadata), extras)
        return ReadChat(chat, tuple(self.sent), tuple(self._notes()))

    def _first(self, role: Role) -> str:
        names = (turn.name for turn in self.turns if turn.role is role and turn.name not in self.narrators)
        return next((name for name in names if name), "")

    def _notes(self) -> list[str]:
        notes = []
        damaged = [number for number in self.unread if number != self.last]
        if damaged:
            listed = ", ".join(f"{number:,}" for number in damaged[:MOST_NAMED_LINES])
            more = len(damaged) - MOST_NAMED_LINES
            rest = f" and {more:,} more" if more > 0 else ""
            notes.append(f"What stands in these lines is no message, so it was left out: {listed}{rest}.")
        if self.last in self.unread:
            notes.append("The last line breaks off and was left out: the file is not whole.")
        if self.header and (metadata := metadata_of(self.header)).get("note_interval") == 0 and metadata.get("note_prompt"):
            notes.append("The author's note was switched off in this chat, so it is not told here.")
        return notes


def _is_message(line: Json) -> bool:
    return isinstance(line.get("mes"), str | dict)


def _is_header(line: Json) -> bool:
    return "mes" not in line and any(key in line for key in ("user_name", "character_name", "chat_metadata"))


def _versions(line: Json, number: int) -> tuple[list[str], int]:
    """All versions of a message and which of them is shown: what `mes` says, whatever the swipes say."""
    shown = _text(line["mes"])
    swipes, index = line.get("swipes"), line.get("swipe_id")
    texts = [_text(each) for each in swipes] if isinstance(swipes, list) else []
    if len(texts) > MOST_SWIPES or max(map(len, (shown, *texts))) > LONGEST_TEXT:
        raise Refused(
            f"The message in line {number:,} has more than {MOST_SWIPES} swipes or {LONGEST_TEXT:,} characters;"
            " shorten it, then import the file again."
        )
    if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(texts):
        texts[index] = shown
        return texts, index
    if shown not in texts:
        texts.append(shown)
    return texts, texts.index(shown)


def _text(value: object) -> str:
    """A text; Chub's exports have objects with the text in them."""
    inner = value.get("message") if isinstance(value, dict) else value
    return plain(inner) if isinstance(inner, str) else ""


def _name(value: object) -> str:
    return " ".join(plain(value).split())[:LONGEST_NAME] if isinstance(value, str) else ""


def _header_name(header: Json, key: str) -> str:
    name = _name(header.get(key))
    return "" if name == UNNAMED else name


def _named(turn: Turn, user: str, character: str) -> Turn:
    """A turn whose line gave no name, under the one that the rest of the chat suggests."""
    if turn.name:
        return turn
    name = user or "User" if turn.role is Role.PLAYER else character or "Character"
    return Turn(turn.number, turn.role, name, turn.variants, turn.selected, turn.author)


def checksum(text: str) -> int:
    """What tells whether a text has changed since it was read."""
    return crc32(text.encode("utf-8", "surrogatepass"))


def _without_own(line: Json, turn: Turn) -> Json:
    """A message's object without what the turn holds; of an aside, only the object knows whether the user said it."""
    own = {*OWN_KEYS} - {"swipe_id"} - ({"is_user"} if turn.role is Role.ASIDE else set())
    kept: Json = {key: None if key in own else value for key, value in line.items()}
    swipes = line.get("swipes")
    return kept | {"mes": checksum(turn.text)} | ({"swipes": len(swipes)} if isinstance(swipes, list) else {})
