"""From turns to a SillyTavern chat file: what came from such a file goes back as it was, but for what has changed since."""

import json
from datetime import datetime

from bot.story.table import NOTE_DEPTH
from bot.story.turn import Role, Turn, VariantState
from bot.transcripts.sillytavern.chat import NO_HEADER, Chat, Json
from bot.transcripts.sillytavern.dates import written_date
from bot.transcripts.sillytavern.lines import spelled
from bot.transcripts.sillytavern.reading import checksum, metadata_of, note_of, scenario_of

OF_A_SWIPE = ("send_date", "gen_started", "gen_finished", "extra")
"""What stands in a message and, for each of its swipes, in `swipe_info` too."""


def write_chat(chat: Chat, now: datetime) -> bytes:
    """The file of a chat. `now` dates what has no date of its own: the header and turns that were written here.

    What is still being written is left out.
    """
    lines = [] if chat.extras.header == NO_HEADER else [spelled(_header(chat, now))]
    for turn in chat.turns:
        texts, selected = _finished(turn)
        if texts:
            lines.append(spelled(_message(turn, texts, selected, chat.extras.lines.get(turn.number, ""), now)))
    return "\n".join(lines).encode()


def _header(chat: Chat, now: datetime) -> Json:
    header: Json = json.loads(chat.extras.header) if chat.extras.header else _new_header(chat, now)
    metadata = dict(metadata_of(header))
    if note_of(metadata) != (chat.note, chat.note_depth):
        metadata |= {"note_prompt": chat.note, "note_depth": chat.note_depth}
        if chat.note:
            metadata |= {"note_interval": metadata.get("note_interval") or 1, "note_position": 1}
    if scenario_of(metadata) != chat.scenario:
        metadata["scenario"] = chat.scenario
    return header | {"chat_metadata": metadata} if metadata or "chat_metadata" in header else header


def _new_header(chat: Chat, now: datetime) -> Json:
    names = {"user_name": chat.user or "User", "character_name": chat.character or "Character"}
    return {**names, "create_date": written_date(now), "chat_metadata": {"note_depth": NOTE_DEPTH}}


def _finished(turn: Turn) -> tuple[list[str], int]:
    """The texts of a turn without the one that is being written, and which of them is shown."""
    kept = [place for place, variant in enumerate(turn.variants) if variant.state is not VariantState.WRITING]
    selected = kept.index(turn.selected) if turn.selected in kept else len(kept) - 1
    return [turn.variants[place].text for place in kept], selected


def _message(turn: Turn, texts: list[str], selected: int, extras: str, now: datetime) -> Json:
    line: Json = json.loads(extras) if extras else _new_line(turn, now)
    count, shown, said = line.get("swipes"), line.get("swipe_id"), line.get("mes")
    own: Json = {"name": turn.name, "is_system": turn.role is Role.ASIDE, "mes": texts[selected]}
    if turn.role is not Role.ASIDE:
        own["is_user"] = turn.role is Role.PLAYER
    swipes: Json = {"swipes": texts, "swipe_id": selected}
    if len(texts) > 1 and count is None:
        line |= swipes
        line.setdefault("swipe_info", [])
    # A key that the line never had stays away, except where the turn says something that its absence would deny.
    line |= {key: value for key, value in (own | swipes).items() if key in line or (key == "is_system" and value)}
    infos = line.get("swipe_info")
    if isinstance(infos, list) and count != len(texts):
        line["swipe_info"] = infos = _fitting(infos, len(texts), now)
    if isinstance(infos, list) and isinstance(shown, int) and shown != selected:
        line |= _about(infos, selected)
    return line if said in (None, checksum(texts[selected])) else _without_display(line)


def _about(infos: list[object], selected: int) -> Json:
    """What a message says about the swipe that it shows; SillyTavern keeps it for each."""
    info = infos[selected] if selected < len(infos) else None
    return {key: info[key] for key in OF_A_SWIPE if key in info} if isinstance(info, dict) else {}


def _without_display(line: Json) -> Json:
    """A changed message without the text that would be shown in its place: a translation of what it said before."""
    extra = line.get("extra")
    if not isinstance(extra, dict):
        return line
    return line | {"extra": {key: value for key, value in extra.items() if key != "display_text"}}


def _new_line(turn: Turn, now: datetime) -> Json:
    own: Json = {"name": None, "is_user": turn.author is not None, "is_system": None}
    return {**own, "send_date": written_date(now), "mes": None, "extra": {}}


def _fitting(infos: list[object], count: int, now: datetime) -> list[object]:
    """As many entries as there are swipes: SillyTavern looks them up side by side."""
    blank: Json = {"send_date": written_date(now), "gen_started": None, "gen_finished": None, "extra": {}}
    return [*infos[:count], *(dict(blank) for _ in range(count - len(infos)))]
