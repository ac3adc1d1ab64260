import pytest

from adapters.discord.ears.gathering import TYPING, Gathered, Gathering, Part
from bot.ids import AuthorId

TOBIAS, ELSE = AuthorId("discord:1"), AuthorId("discord:2")


def part(number: int, text: str = "", name: str = "Tobias") -> Part:
    return Part(number, name, text or f"part {number}")


def ids(closed: list[Gathered]) -> list[list[int]]:
    return [[part.id for part in each.parts] for each in closed]


@pytest.fixture
def gathering() -> Gathering:
    return Gathering(quiet=3, limit=60)


def test_whose_post_is_being_gathered_is_known(gathering: Gathering) -> None:
    assert gathering.author is None
    gathering.add(TOBIAS, part(1), 0)
    assert gathering.author == TOBIAS


def test_messages_without_a_pause_are_one_post(gathering: Gathering) -> None:
    assert gathering.add(TOBIAS, part(1), 0) == []
    assert gathering.add(TOBIAS, part(2), 2.9) == []
    assert gathering.take_due(5.8) == []
    (whole,) = gathering.take_due(5.9)
    assert (whole.author, whole.name, whole.text) == (TOBIAS, "Tobias", "part 1\n\npart 2")
    assert gathering.due is None


def test_a_pause_ends_a_post_even_if_nobody_looked(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    assert ids(gathering.add(TOBIAS, part(2), 3)) == [[1]]
    assert gathering.ids == (2,)


def test_somebody_elses_message_closes_a_post_at_once(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    assert ids(gathering.add(ELSE, part(2), 0.1)) == [[1]]
    assert ids(gathering.add(TOBIAS, part(3), 0.2)) == [[2]]


def test_whoever_types_is_waited_for(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    assert gathering.typing(TOBIAS, 2) == []
    assert gathering.take_due(2 + TYPING - 0.1) == []
    assert ids(gathering.take_due(2 + TYPING)) == [[1]]


def test_typing_ends_with_the_message(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    gathering.typing(TOBIAS, 1)
    gathering.add(TOBIAS, part(2), 4)
    assert gathering.due == 7


def test_typing_counts_for_its_author_and_not_after_the_pause(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    gathering.typing(ELSE, 1)
    assert gathering.due == 3
    assert ids(gathering.typing(TOBIAS, 3)) == [[1]]
    assert gathering.due is None


def test_nobody_is_waited_for_beyond_the_limit(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    for second in range(2, 60, 2):
        gathering.typing(TOBIAS, second)
    assert gathering.due == 60


def test_whoever_never_pauses_is_answered_at_the_limit(gathering: Gathering) -> None:
    closed = [each for second in range(0, 70, 2) for each in gathering.add(TOBIAS, part(second), second)]
    assert [len(each.parts) for each in closed] == [30]


def test_a_pause_is_waited_for_even_where_it_is_longer_than_the_limit() -> None:
    gathering = Gathering(quiet=5, limit=1)
    gathering.add(TOBIAS, part(1), 0)
    assert gathering.due == 5


def test_an_edit_changes_what_is_being_gathered(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    gathering.add(TOBIAS, part(2), 1)
    assert gathering.reword(2, "changed")
    assert not gathering.reword(3, "nothing")
    assert gathering.close()[0].text == "part 1\n\nchanged"
    assert not gathering.reword(1, "too late")


def test_a_deletion_takes_a_message_out_and_the_last_one_takes_the_post(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    gathering.add(TOBIAS, part(2), 1)
    assert gathering.drop(1)
    assert gathering.ids == (2,)
    assert gathering.drop(2)
    assert (gathering.due, gathering.close()) == (None, [])
    assert not gathering.drop(2)


def test_words_under_another_name_are_another_post_of_the_same_person(gathering: Gathering) -> None:
    gathering.add(TOBIAS, part(1), 0)
    gathering.add(TOBIAS, part(2), 1)
    gathering.add(TOBIAS, part(3), 2)
    assert gathering.put(1, part(11, name="Mira"))
    assert gathering.put(2, part(12, name="Mira"))
    closed = gathering.close()
    assert [(each.author, each.name, [part.id for part in each.parts]) for each in closed] == [
        (TOBIAS, "Mira", [11, 12]),
        (TOBIAS, "Tobias", [3]),
    ]
