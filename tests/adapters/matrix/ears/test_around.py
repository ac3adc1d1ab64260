"""What all parts of the ears share: the mark of the stream."""

from adapters.matrix.ears.around import Inbox
from adapters.matrix.ears.arriving import Gone, kept
from adapters.matrix.words import MATRIX
from tests.fakes.store import MemoryStore

ROOM = "!room:matrix.test"


async def test_what_comes_late_does_not_put_the_mark_back() -> None:
    store = MemoryStore()
    inbox = Inbox(store)
    await inbox.take_in([], "s1")
    await inbox.take_in([], "s2")
    assert len(await inbox.take_in([kept(Gone(ROOM, "late"))])) == 1
    assert await store.read_up_to(MATRIX) == "s2"


async def test_what_was_taken_in_before_is_not_new() -> None:
    inbox = Inbox(MemoryStore())
    gone = kept(Gone(ROOM, "s1"))
    assert await inbox.take_in([gone], "s1") == (gone,)
    assert not await inbox.take_in([gone], "s2")
