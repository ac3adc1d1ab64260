"""A turn shows one of its variants, and changing it leaves the others alone."""

from bot.story.turn import Role, Turn, Variant, VariantState

FIRST, SECOND = Variant("one"), Variant("two", VariantState.STOPPED)


def a_turn(selected: int = 0) -> Turn:
    return Turn(7, Role.CHARACTER, "Mira", (FIRST, SECOND), selected)


def test_a_turn_shows_its_selected_variant() -> None:
    assert a_turn().text == "one"
    assert a_turn(1).variant is SECOND


def test_a_new_variant_comes_last_and_is_selected() -> None:
    turn = a_turn().with_new_variant(Variant("", VariantState.WRITING))

    assert [each.text for each in turn.variants] == ["one", "two", ""]
    assert turn.selected == 2
    assert turn.is_writing


def test_replacing_the_shown_variant_keeps_the_others() -> None:
    assert a_turn(1).with_variant(Variant("three")).variants == (FIRST, Variant("three"))


def test_a_variant_being_written_elsewhere_does_not_make_the_turn_unfinished() -> None:
    turn = Turn(0, Role.CHARACTER, "Mira", (FIRST, Variant("", VariantState.WRITING)))

    assert not turn.is_writing
