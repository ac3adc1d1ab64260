from collections import Counter
from itertools import count

from bot.engine.fairness import FairShares
from bot.engine.job import Job
from bot.engine.queue import Line
from bot.ids import CommunityId, SessionId
from tests.engine.stage import MIRA, RAIN, TOBIAS, a_job

GUILD, CLUB = CommunityId("guild"), CommunityId("club")


def a_line(*jobs: Job) -> tuple[Line, FairShares]:
    shares = FairShares()
    line = Line(shares)
    for job in jobs:
        shares.enter(job)
        line.add(job)
    return line, shares


def order(line: Line, shares: FairShares, cost: float = 100.0) -> list[int]:
    """The tickets as they leave when each is served wholly before the next is chosen."""
    left: list[int] = []
    while job := line.next(lambda _: True):
        line.remove(job.ticket)
        shares.charge(job, cost)
        left.append(job.ticket)
    return left


def test_those_who_were_served_alike_leave_in_the_order_of_their_arrival() -> None:
    line, shares = a_line(a_job(1, MIRA), a_job(2, TOBIAS), a_job(3, RAIN))
    assert order(line, shares) == [1, 2, 3]


def test_a_community_with_many_channels_does_not_crowd_out_one_with_few() -> None:
    crowd = [a_job(ticket, SessionId(f"channel {ticket}"), community=GUILD) for ticket in range(1, 7)]
    line, shares = a_line(*crowd, a_job(7, MIRA, community=CLUB), a_job(8, TOBIAS, community=CLUB))
    assert order(line, shares) == [1, 7, 2, 8, 3, 4, 5, 6]


def test_inside_a_community_a_channel_that_asks_often_waits_for_those_that_asked_once() -> None:
    eager = [a_job(ticket, MIRA, community=GUILD) for ticket in (1, 2, 3)]
    line, shares = a_line(*eager, a_job(4, TOBIAS, community=GUILD))
    assert order(line, shares) == [1, 4, 2, 3]


def test_who_comes_back_after_a_rest_has_saved_up_no_turns() -> None:
    shares = FairShares()
    busy = a_job(1, MIRA)
    shares.enter(busy)
    shares.charge(busy, 1_000)
    late = a_job(2, TOBIAS)
    shares.enter(late)
    assert shares.rank(late)[0] == 1_000
    shares.leave(late)


def test_of_those_who_are_gone_only_who_was_ahead_is_remembered() -> None:
    shares = FairShares()
    ahead, behind = a_job(1, MIRA), a_job(2, TOBIAS)
    shares.enter(ahead)
    shares.enter(behind)
    shares.charge(ahead, 100)
    for job in (ahead, behind):
        shares.leave(job)
    assert set(shares.communities._done) == {ahead.share}
    shares.enter(behind)
    shares.charge(behind, 200)
    shares.leave(behind)
    assert ahead.share not in shares.communities._done


class Crowd:
    """Communities that always have as many replies to ask for as they have channels, served one after the other."""

    def __init__(self, channels: dict[str, int]) -> None:
        self.shares = FairShares()
        self.line = Line(self.shares)
        self.tickets = count(1)
        self.served: Counter[str] = Counter()
        for name, number in channels.items():
            for channel in range(number):
                self.ask(name, f"{name} {channel}")

    def ask(self, community: str, channel: str) -> None:
        job = a_job(next(self.tickets), SessionId(channel), community=CommunityId(community))
        self.shares.enter(job)
        self.line.add(job)

    def serve(self) -> None:
        job = self.line.next(lambda _: True)
        assert job is not None
        self.line.remove(job.ticket)
        self.shares.charge(job, 100)
        self.shares.leave(job)
        self.served[str(job.community)] += 1
        self.ask(str(job.community), str(job.session))


def test_communities_are_served_alike_whether_they_leave_between_their_replies_or_not() -> None:
    crowd = Crowd({"large": 12, "small": 2, "single": 1, "lonely": 1})
    for _ in range(400):
        crowd.serve()
    assert all(95 <= served <= 105 for served in crowd.served.values())


def test_nobody_waits_for_ever_however_many_come_anew() -> None:
    crowd = Crowd({"old": 1})
    for _ in range(3):
        crowd.serve()
    waits = 0
    while crowd.served["old"] < 4:
        crowd.ask(f"new {waits}", f"new {waits}")
        crowd.serve()
        waits += 1
    assert waits < 12


def test_one_that_is_not_ready_is_passed_by_and_keeps_its_place() -> None:
    line, _ = a_line(a_job(1, MIRA), a_job(2, TOBIAS))
    chosen = line.next(lambda job: job.session != MIRA)
    assert chosen is not None
    assert chosen.ticket == 2
    assert len(line) == 2


def test_a_later_job_of_a_session_never_overtakes_an_earlier_one() -> None:
    line, _ = a_line(a_job(1, MIRA), a_job(2, MIRA))
    assert line.next(lambda job: job.ticket == 2) is None


def test_everyone_is_told_a_position_once_and_again_when_it_changes() -> None:
    line, shares = a_line(a_job(1, MIRA), a_job(2, TOBIAS), a_job(3, RAIN))
    assert line.moved(10.0) == ((1, 1), (2, 2), (3, 3))
    assert line.moved(10.0) == ()
    shares.leave(a_job(1, MIRA))
    line.remove(1)
    assert line.moved(10.0) == ((2, 1), (3, 2))


def test_positions_are_those_in_which_the_jobs_will_leave() -> None:
    crowd = [a_job(ticket, SessionId(f"channel {ticket}"), community=GUILD) for ticket in (1, 2, 3)]
    line, shares = a_line(*crowd, a_job(4, MIRA, community=CLUB))
    places = {place: ticket for ticket, place in line.moved(100.0)}
    assert [places[place] for place in sorted(places)] == order(line, shares)


def test_deadlines_are_found_and_nothing_is_done_about_them() -> None:
    line, _ = a_line(a_job(1, MIRA, deadline=5.0), a_job(2, TOBIAS), a_job(3, RAIN, deadline=9.0))
    assert [job.ticket for job in line.overdue(5.0)] == [1]
    assert len(line) == 3
