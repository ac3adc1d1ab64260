import pytest

from bot.engine.sequence import ReplySequence, StopFinder
from bot.ports.engine import FinishReason, TextDelta


def shown(pieces: list[bytes], *stops: str, max_tokens: int = 100) -> tuple[list[TextDelta], ReplySequence]:
    """What comes out when these pieces are drawn one by one, their ids counted from 0, and then the end token."""
    sequence = ReplySequence(max_tokens, stops)
    deltas = []
    for token, piece in enumerate(pieces):
        deltas.append(sequence.accept(token, piece))
        if sequence.reason:
            break
    else:
        deltas.append(sequence.end())
    return [delta for delta in deltas if delta], sequence


def text_of(deltas: list[TextDelta]) -> str:
    return "".join(delta.text for delta in deltas)


def test_a_piece_is_shown_as_soon_as_it_is_drawn() -> None:
    deltas, sequence = shown([b"The ", b"door"])
    assert deltas == [TextDelta("The ", (0,)), TextDelta("door", (1,))]
    assert sequence.reason is FinishReason.END


def test_a_character_spread_over_tokens_comes_whole_with_all_its_ids() -> None:
    deltas, _ = shown([b"na\xc3", b"\xafve ", b"\xf0\x9f", b"\x98", b"\x80"])
    assert deltas == [TextDelta("na"), TextDelta("ïve ", (0, 1)), TextDelta("😀", (2, 3, 4))]


def test_a_reply_that_ends_inside_a_character_does_not_show_it() -> None:
    deltas, _ = shown([b"yes", b"\xf0\x9f"])
    assert deltas == [TextDelta("yes", (0,))]


def test_bytes_that_are_no_text_are_replaced() -> None:
    deltas, _ = shown([b"a\xffb"])
    assert text_of(deltas) == "a�b"


def test_a_stop_text_ends_the_reply_and_is_not_shown() -> None:
    deltas, sequence = shown([b"Go. ", b"STOP", b" more"], "STOP")
    assert text_of(deltas) == "Go. "
    assert (sequence.reason, sequence.stop) == (FinishReason.STOP, "STOP")


def test_a_stop_text_split_over_tokens_is_never_shown_in_part() -> None:
    deltas, sequence = shown([b"Go.\n", b"#", b"##", b" In", b"put: no"], "\n### Input")
    assert text_of(deltas) == "Go."
    assert sequence.stop == "\n### Input"


def test_what_only_looked_like_a_stop_is_shown_late_but_whole() -> None:
    deltas, _ = shown([b"one\n", b"##", b" two"], "\n###")
    assert text_of(deltas) == "one\n## two"
    assert deltas[0] == TextDelta("one")


def test_the_id_of_a_held_token_waits_with_its_text() -> None:
    deltas, _ = shown([b"\n", b"##", b"\n", b"###"], "\n###")
    assert deltas == [TextDelta("\n##", (0, 1))]


def test_what_was_held_back_is_shown_when_the_model_ends() -> None:
    deltas, sequence = shown([b"one\n#"], "\n###")
    assert text_of(deltas) == "one\n#"
    assert sequence.reason is FinishReason.END


def test_what_was_held_back_is_shown_when_the_tokens_are_used_up() -> None:
    deltas, sequence = shown([b"one", b"\n#", b"never"], "\n###", max_tokens=2)
    assert text_of(deltas) == "one\n#"
    assert (sequence.reason, sequence.drawn) == (FinishReason.LENGTH, 2)


def test_whenever_ids_come_all_ids_so_far_spell_exactly_the_text_so_far() -> None:
    pieces = [b"She ", b"sai\xc3", b"\xa9d\n", b"##", b"x ", b"and", b"\n", b"###", b" tail"]
    deltas, _ = shown(pieces, "\n###")
    ids: list[int] = []
    text = ""
    for delta in deltas:
        ids += delta.token_ids
        text += delta.text
        if delta.token_ids:
            assert b"".join(pieces[token] for token in ids).decode() == text
    assert ids == list(range(6))


def test_a_reply_that_ends_inside_a_token_ends_without_that_tokens_id() -> None:
    deltas, _ = shown([b"She", b" nodded.\n", b"###"], "\n###")
    assert text_of(deltas) == "She nodded."
    assert [token for delta in deltas for token in delta.token_ids] == [0]


@pytest.mark.parametrize(
    ("stops", "text", "before", "met"),
    [
        (("b",), "abc", "a", "b"),
        (("bc", "b"), "abc", "a", "bc"),  # began at the same place: the longer
        (("c", "bc"), "abc", "a", "bc"),  # began first
        (("", "z"), "abc", "abc", ""),  # an empty stop is none
        (("aab",), "aaab", "a", "aab"),  # the beginning of the stop repeats itself
    ],
)
def test_the_first_stop_wins(stops: tuple[str, ...], text: str, before: str, met: str) -> None:
    finder = StopFinder(stops)
    assert finder.feed(text) + finder.rest() == before
    assert finder.met == met


def test_no_way_of_cutting_a_text_into_pieces_changes_what_is_shown() -> None:
    text = 'He paused.\n\n"# Well," he said.\n### Input:\nmore'
    wanted = 'He paused.\n\n"# Well," he said.'
    for size in range(1, len(text)):
        finder = StopFinder(("\n### ", "\n\n###"))
        assert "".join(finder.feed(text[at : at + size]) for at in range(0, len(text), size)) == wanted
        assert finder.met == "\n### "
