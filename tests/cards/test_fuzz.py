"""Whatever the bytes, a file is read or refused, soon and in little memory."""

import pytest

from tests.cards.measured import MOST_MIB, MOST_SECONDS, in_a_child

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("kind", ["png", "json", "zip"])
def test_ten_thousand_damaged_files_are_read_or_refused(kind: str) -> None:
    found = in_a_child(kind, "10000", "4")
    assert found.read + found.refused == 10_000
    assert min(found.read, found.refused) > 1_000
    assert found.slowest < MOST_SECONDS
    assert found.peak_mib < MOST_MIB
