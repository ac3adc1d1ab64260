"""SillyTavern's instruct and context templates, read onto a prompt format. It knows no files and no sampler.

Rule 1: our parts begin with their header and end with their blank line; theirs may begin with the blank line instead. Line
ends therefore move from the beginning of a header to the end of what stands before it: the whole prompt stays the same.
Rule 2: what a format cannot hold is left out, and a sentence says so.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.prompt.format import PromptFormat

Notes = tuple[str, ...]

LENGTH = re.compile(r"\(\s*length\s*=\s*[a-z]{1,20}\s*\)", re.IGNORECASE)
_MACRO = re.compile(r"\{\{([^{}]{1,200})\}\}")
_NAME_LINE = re.compile(r"(?:\A|\n)\{\{(?:name|user|char)\}\}:?[ ]?\Z", re.IGNORECASE)
_CONTROL = re.compile(r"<[|\uff5c][^<>|\uff5c\n]{1,64}[|\uff5c]>|</?s>|\[/?[A-Z_]{2,24}\]|<(?:start|end)_of_turn>")
_MARKS = re.compile(r"#{2,}")

_HEADS = ("story_string_prefix", "system_sequence_prefix")
_SEQUENCES = ("input_sequence", "output_sequence", "last_output_sequence", "system_sequence", *_HEADS)
_SUFFIXES = ("input_suffix", "output_suffix", "system_suffix", "story_string_suffix", "separator_sequence")
_TEXTS = (*_SEQUENCES, *_SUFFIXES, "stop_sequence", "system_prompt")
_FLAGS = ("wrap", "names", "names_force_groups", "names_behavior")
# What decides nothing about the prompt of a story here, whatever its value.
_OF_NO_MATTER = frozenset(
    {
        "name",
        "preset",
        "macro",
        "enabled",
        "derived",
        "bind_to_context",
        "activation_regex",
        "skip_examples",
        "system_same_as_user",
        "names_force_groups",
        "sequences_as_stop_strings",
        "trim_sentences",
        "single_line",
        "use_stop_strings",
        "names_as_stop_strings",
        "always_force_name2",
        "example_separator",
        "chat_start",
        "allow_jailbreak",
        "allow_post_history",
        "story_string_position",
        "story_string_depth",
        "story_string_role",
    }
)
_FIELDS = "system description personality persona scenario wibefore lorebefore wiafter loreafter mesexamples mesexamplesraw"
_PLACED = frozenset(f"{_FIELDS} anchorbefore anchorafter".split())
"""What stands for a part of the prompt in a story string; where lore, examples and personality go, this program decides."""

_OUR_ORDER = ("description", "persona", "scenario")


def with_instruct(fmt: PromptFormat, template: Mapping[str, object]) -> tuple[PromptFormat, Notes]:
    """The format with the headers of an instruct template, and what of it was left out.

    "(length = medium)" in the last header is the length modifier. Names stand before all posts unless they are switched off
    altogether: SillyTavern's "in groups" means stories like ours, of several players.
    """
    texts = {key: _text(template.get(key)) for key in _TEXTS}
    notes = [f"`{key[:60]}` is not understood and was left out." for key in template if _is_unknown(key, template[key])]
    sep = "\n" if template.get("wrap", True) is True else ""
    player, character = (_header(texts[key], notes) for key in ("input_sequence", "output_sequence"))
    gap = _gap(player, character, notes)
    system_before, system_after = _around_head(texts, sep, gap, notes)
    suffix = texts["output_suffix"] or texts["separator_sequence"] or sep
    changed = replace(
        _guarded(fmt, texts),
        system_before=system_before,
        system_after=system_after,
        player_before=player.lstrip("\n") + sep,
        player_after=(texts["input_suffix"] or sep) + gap,
        character_before=character.lstrip("\n") + sep,
        character_after=suffix + gap,
        character_before_with_length=_with_length(texts["last_output_sequence"], sep, notes),
        names=_names(template, texts),
    )
    prompt = texts["system_prompt"]
    return (with_system_prompt(changed, prompt) if prompt.strip() else changed), tuple(notes)


def with_system_prompt(fmt: PromptFormat, prompt: str) -> PromptFormat:
    """The format with a system prompt: what names nobody opens the head; from the first name on, it is the rule at its end."""
    paragraphs = [each.strip("\n") for each in re.split(r"\n{2,}", prompt.strip())]
    first = next((place for place, each in enumerate(paragraphs) if _MACRO.search(each)), len(paragraphs))
    opening = "".join(f"{each}\n\n" for each in paragraphs[:first] if each)
    rule = _filled("\n\n".join(paragraphs[first:]), {"char": "{character}", "user": "{players}"}, [])
    return replace(fmt, system_before=fmt.system_before + opening, rule=rule or fmt.rule)


def with_context(fmt: PromptFormat, template: Mapping[str, object]) -> tuple[PromptFormat, Notes]:
    """The format with the wording of a context template's story string, and what of it was left out.

    The order of the parts is ours (characters, players, scenario, rule), so that the head of the prompt stays as it is.
    """
    notes = [f"`{key[:60]}` is not understood and was left out." for key in template if _is_unknown(key, template[key])]
    pieces, rest = _pieces(_text(template.get("story_string")))
    opened = _opened(fmt, pieces, notes)
    found = {piece.field: piece for piece in reversed(pieces)}
    changes: dict[str, str] = {}
    if "description" in found:
        changes["persona"] = _labelled(found["description"].label, "char", notes)
    if "persona" in found and _labelled(found["persona"].label, "user", notes) != changes.get("persona", fmt.persona):
        notes.append("The players are introduced with the same words as the characters, not with those of the template.")
    if "scenario" in found:
        changes["scenario"] = _labelled(found["scenario"].label, "char", notes)
    between = [piece.gap for piece in pieces if piece.gap and piece.field in _OUR_ORDER and piece is not pieces[0]]
    if between:
        changes["between_blocks"] = between[-1]
    # Control tokens there close the head: that is in the instruct template too, and belongs to no words.
    if rule := _CONTROL.sub("", rest).strip():
        changes["rule"] = _filled(rule, {"char": "{character}", "user": "{players}"}, notes)
    order = [piece.field for piece in pieces if piece.field in _OUR_ORDER]
    if order != sorted(order, key=_OUR_ORDER.index):
        notes.append("The parts of the head stand in this order here: characters, players, scenario, rule.")
    return replace(fmt, **opened, **changes), tuple(notes)  # type: ignore[arg-type]  # texts, all of them


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a story string: the line ends before it, the words that introduce it, and what it is."""

    gap: str
    label: str
    field: str


def _pieces(story: str) -> tuple[list[_Piece], str]:
    """The parts of a story string, and what stands after the last one. Conditions are read as if they held."""
    pieces, label = [], ""
    for text, macro in _macros(story):
        label += text
        if macro.lower() in _PLACED:
            told = label.lstrip("\n")
            pieces.append(_Piece(label[: len(label) - len(told)], told, macro.lower()))
            label = ""
        elif macro and macro[0] not in "#/" and macro.lower() not in {"trim", "else"}:
            label += "{{" + macro + "}}"
    return pieces, label


def _macros(text: str) -> Iterator[tuple[str, str]]:
    """Words, and the macro after them; the last words have an empty one."""
    at = 0
    for found in _MACRO.finditer(text):
        yield text[at : found.start()], found[1].strip()
        at = found.end()
    yield text[at:], ""


def _opened(fmt: PromptFormat, pieces: list[_Piece], notes: list[str]) -> dict[str, str]:
    """A header that the story string itself opens with stands where the format's does: once, not twice."""
    header, _, label = pieces[0].label.rpartition("\n") if pieces else ("", "", "")
    if not header.strip():
        return {}
    own = f"{_header(header, notes)}\n"
    pieces[0] = replace(pieces[0], label=label)
    return {} if fmt.system_before.startswith(own) else {"system_before": own + fmt.system_before}


def _labelled(label: str, name: str, notes: list[str]) -> str:
    return _filled(label, {name: "{name}"}, notes) + "{text}"


def _filled(text: str, names: Mapping[str, str], notes: list[str]) -> str:
    """A template's words with our fields for its macros; other macros are left out, and braces stand for themselves."""
    told = ""
    for words, macro in _macros(text):
        told += words.replace("{", "{{").replace("}", "}}") + names.get(macro.lower(), "")
        if macro and macro.lower() not in names:
            notes.append(f"`{{{{{macro[:60]}}}}}` is not understood there and was left out.")
    return told


def _header(sequence: str, notes: list[str]) -> str:
    """A header without macros: one that ends with a name's line gives way to ours, which puts the name there."""
    named = _NAME_LINE.sub("", sequence)
    notes += (f"`{{{{{macro[:60]}}}}}` is not understood in a header and was left out." for macro in _MACRO.findall(named))
    return _MACRO.sub("", named)


def _around_head(texts: Mapping[str, str], sep: str, gap: str, notes: list[str]) -> tuple[str, str]:
    """What stands before and after the head: its own header where the template has one, or the control tokens of the system."""
    own = texts["story_string_prefix"] or texts["system_sequence_prefix"]
    # A system header of words ("### Input:") is for a narrator's messages in the story, which there are none of here.
    of_system = texts["system_sequence"] if _CONTROL.search(texts["system_sequence"]) else ""
    header = _header(own or of_system, notes).lstrip("\n")
    after = texts["story_string_suffix"] or (texts["system_suffix"] if not own else "")
    return header + sep if header else "", after + gap if after else sep + (gap or sep)


def _gap(player: str, character: str, notes: list[str]) -> str:
    """The line ends that headers begin with. They stand at the end of the turn before, so they have to be the same."""
    gaps = [each[: len(each) - len(each.lstrip("\n"))] for each in (player, character)]
    if gaps[0] != gaps[1]:
        notes.append("The headers begin with different numbers of line ends; all begin with those of the reply's here.")
    return gaps[1]


def _with_length(last: str, sep: str, notes: list[str]) -> str | None:
    """The header of the newest reply with a field for the length; None where it has no length."""
    found = LENGTH.search(last)
    if found is None:
        if last.strip():
            notes.append("`last_output_sequence` names no length, so it is not used: all replies have the same header.")
        return None
    parts = (_header(part, notes) for part in (last[: found.start()].lstrip("\n"), last[found.end() :]))
    before, after = (part.replace("{", "{{").replace("}", "}}") for part in parts)
    return f"{before}(length = {{length}}){after}{sep}"


def _names(template: Mapping[str, object], texts: Mapping[str, str]) -> bool:
    behaviour = template.get("names_behavior")
    if isinstance(behaviour, str):
        return behaviour != "none"
    in_header = _NAME_LINE.search(texts["input_sequence"]) is not None
    return in_header or template.get("names", True) is True or template.get("names_force_groups", True) is True


def _guarded(fmt: PromptFormat, texts: Mapping[str, str]) -> PromptFormat:
    """The format with what nobody may write and what ends a reply, by the headers of the template and its own stop text."""
    joined = "\n".join(texts.values())
    controls = tuple(dict.fromkeys(_CONTROL.findall(joined)))
    lines = [line.strip() for key in _SEQUENCES for line in texts[key].split("\n")]
    starts = tuple(dict.fromkeys(start for line in lines if (start := _start(line))))
    stops = [line.strip() for line in texts["stop_sequence"].split("\n") if line.strip()]
    ends = [stop for stop in stops if not stop.startswith(starts)] if starts else stops
    if not controls:
        controls = ("<s>", "</s>", "<unk>")
        ends = ends or ["</s>"]
    if opener := _CONTROL.match(texts["input_sequence"].lstrip()):
        ends.append(opener.group())
    return replace(fmt, header_starts=starts, control_texts=controls, stop_texts=tuple(dict.fromkeys(ends)))


def _start(line: str) -> str:
    """How a header of words begins; empty for one of control tokens, which no line can hold anyway."""
    if _CONTROL.search(line) or not line:
        return ""
    marks = _MARKS.match(line)
    return marks.group() if marks else _MACRO.sub("", line)


def _text(value: object) -> str:
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _is_unknown(key: str, value: object) -> bool:
    """Whether a field says something and is not read: empty ones say nothing."""
    return key not in {*_TEXTS, *_FLAGS, *_OF_NO_MATTER, "story_string"} and value not in ("", None, False)
