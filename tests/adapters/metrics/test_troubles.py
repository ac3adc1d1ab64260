"""What the log warned of: kept by kind, without its sentence, and not without end."""

import logging

from adapters.metrics.troubles import KEPT, Troubles
from bot.errors import StoreUnavailable
from bot.metrics import LABELS, OTHER

log = logging.getLogger("bot.flow.deliver")


def test_a_warning_is_known_by_its_kind_and_not_by_its_words() -> None:
    troubles = Troubles()
    with troubles.listening():
        log.warning("Ann wrote: %s", "a secret", extra={"action": "abandon_post"})
        log.error("the store is away", exc_info=StoreUnavailable("password=hunter2"))
        log.info("no trouble")
        logging.getLogger("aiohttp").warning("none of ours")
    log.warning("after the end")

    assert [(each.level, each.kind, each.action, each.source) for each in troubles.last] == [
        ("ERROR", "StoreUnavailable", "", "bot.flow.deliver"),
        ("WARNING", "abandon_post", "abandon_post", "bot.flow.deliver"),
    ]
    assert troubles.counts == {("WARNING", "abandon_post"): 1, ("ERROR", "StoreUnavailable"): 1}
    assert "secret" not in repr(troubles)
    assert "hunter2" not in repr(troubles)


def test_troubles_do_not_gather_without_end() -> None:
    troubles = Troubles()
    with troubles.listening():
        for number in range(LABELS + 20):
            log.warning("again", extra={"action": f"action {number}"})
    assert len(troubles.last) == KEPT
    assert troubles.last[0].action == f"action {LABELS + 19}"
    assert len(troubles.counts) == LABELS + 1
    assert troubles.counts["WARNING", OTHER] == 20
