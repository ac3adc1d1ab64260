"""What would be said over and over is said seldom, to each person by itself."""

from adapters.matrix.commands.answering import SIGNS_REST
from adapters.matrix.commands.seldom import REMEMBERED, Seldom
from tests.adapters.matrix.commands.commands_stage import MIRELA, PARLOUR, TOBIAS, stage
from tests.fakes.clock import FrozenClock


def test_it_is_due_again_for_the_same_key_after_its_rest_and_for_another_at_once() -> None:
    clock = FrozenClock()
    seldom = Seldom(clock, 60.0)
    assert seldom.is_due(PARLOUR, TOBIAS)
    clock.move(59.0)
    assert not seldom.is_due(PARLOUR, TOBIAS)
    assert seldom.is_due(PARLOUR, MIRELA)
    clock.move(1.0)
    assert seldom.is_due(PARLOUR, TOBIAS)


def test_of_very_many_keys_the_newest_are_remembered() -> None:
    seldom = Seldom(FrozenClock(), 60.0)
    assert all(seldom.is_due(str(number)) for number in range(REMEMBERED + 1))
    assert not seldom.is_due(str(REMEMBERED))
    assert seldom.is_due("0")


async def test_whoever_puts_sign_after_sign_where_they_may_not_is_told_so_once_a_minute() -> None:
    async with stage() as on:
        place = await on.start()
        [greeting] = on.courier.standing[place]
        for sign in ("🔄", "❌", "⏩"):
            await on.react(sign, greeting, PARLOUR, by=MIRELA)
        assert len(on.answers_to(greeting)) == 1
        on.clock.move(SIGNS_REST)
        await on.react("🔄", greeting, PARLOUR, by=MIRELA)
        assert len(on.answers_to(greeting)) == 2
