"""The deaths of a siege: no station is left out, and one that the bot never came to is dealt again."""

from tests.walks.matrix.deaths import MOMENT, SEALED_STATIONS, Death, Pack, pack


def dealt(cards: Pack) -> list[Death]:
    """All deaths of a pack, each of which is met."""
    deaths: list[Death] = []
    while cards.left:
        deaths += cards.next
        cards.done()
    return deaths


def test_every_station_is_dealt_and_two_seeds_in_a_row_deal_both_sides_of_it() -> None:
    one, other = (dealt(pack(SEALED_STATIONS, 3, seed)) for seed in (1, 2))
    assert {death.station for death in one} == {*SEALED_STATIONS, "read_back", ""}
    assert len(one) == len(SEALED_STATIONS) + 2 + 3
    sides = {(death.station, death.before) for death in (*one, *other) if death.station}
    assert sides >= {(station, before) for station in SEALED_STATIONS for before in (True, False)}


def test_a_station_that_was_missed_is_dealt_again_in_the_place_of_a_moment() -> None:
    cards = pack(SEALED_STATIONS, 2, 1)
    size, missed = cards.size, 0
    while cards.left and missed < 3:
        if cards.next == MOMENT:
            cards.done()
            size -= 1
            continue
        again = {death.station for death in cards.next}
        moments = cards.left.count(MOMENT)
        cards.missed()
        missed += 1
        size -= min(moments, 1)
        assert cards.size == size
        assert again <= {death.station for deaths in cards.left for death in deaths}
    assert missed == 3
    assert {death.station for death in dealt(cards)} >= {*SEALED_STATIONS, "read_back"}
