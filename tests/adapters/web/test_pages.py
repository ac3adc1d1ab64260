"""What the thread shows of a story."""

from dataclasses import replace

from adapters.web.pages import HUES, Told, face, print_page, view
from bot.ids import ChannelKey, EventId, MessageId, Place, Platform, PostKey, SessionId
from bot.ports.store import Shown, StoryPage
from bot.posts import Draft, InboundPost, OutboundPost, Speaker, Voice
from bot.story import acts as story
from bot.story.agreements import pause
from bot.story.cutting import branch, next_part
from bot.story.dice import DiceRoll
from bot.story.session import Session, with_turn
from bot.story.settings import Length
from bot.story.table import Link, LinkKind
from bot.story.turn import Variant, VariantState
from bot.texts import BRANCHED
from tests.builders import HERE, TOBIAS, a_session

MIRA = Speaker(Voice.CHARACTER, "Mira")
MACHINERY = Speaker(Voice.MACHINERY, "Understudy")


def told(session: Session, **changes: object) -> Told:
    return replace(Told(session, StoryPage(session.turns, (), has_older=False), {}), **changes)  # type: ignore[arg-type]  # any field


def a_reply_in_two_posts() -> Session:
    session = story.open_reply(story.add_post(story.greet(a_session()), TOBIAS, "Hello?"), 1)
    turn = replace(session.turns[-1], variants=(Variant("One. Two."),), posts=("One.", "Two."))
    return with_turn(session, turn)


def notice(turn: int, key: str = "n") -> OutboundPost:
    return OutboundPost(PostKey(key), HERE, turn, None, 0, MACHINERY, f"Notice {key}.")


def test_a_turn_shows_its_posts_as_they_were_cut() -> None:
    turns = view(told(a_reply_in_two_posts())).turns
    assert [turn.posts for turn in turns[1:]] == [("<p>Hello?</p>\n",), ("<p>One.</p>\n", "<p>Two.</p>\n")]


def test_only_the_last_reply_can_be_acted_on_and_any_turn_of_the_window_edited() -> None:
    session = a_reply_in_two_posts()
    older = replace(session, turns=session.turns[1:], window_start=1)
    turns = view(replace(told(older), page=StoryPage(session.turns, (), has_older=False))).turns
    assert [turn.acts for turn in turns] == [False, False, True]
    assert [turn.edit_text for turn in turns] == [None, "Hello?", "One. Two."]


def test_while_a_reply_is_rewritten_only_its_finished_posts_and_its_draft_are_shown() -> None:
    session = story.retry(a_reply_in_two_posts(), 2)
    shown = view(told(session, draft=Draft(2, MIRA, "And *now*", 1)))
    assert shown.writing == "Mira"
    assert shown.turns[-1].posts == ("<p>One.</p>\n",)
    assert shown.turns[-1].draft == "<p>And <em>now</em></p>\n"
    assert (shown.turns[-1].shown, shown.turns[-1].variants) == (2, 2)
    assert not shown.can_undo
    assert all(turn.edit_text is None for turn in shown.turns)


def test_a_stopped_reply_says_so() -> None:
    session = a_reply_in_two_posts()
    turn = session.turns[-1].with_variant(Variant("One.", VariantState.STOPPED))
    assert view(told(with_turn(session, turn))).turns[-1].state == "stopped here"


def test_a_notice_stands_below_the_turn_it_follows_or_the_last_one_before_it() -> None:
    page = StoryPage(a_reply_in_two_posts().turns, (Shown(MessageId("m1"), notice(1)),), has_older=False)
    shown = view(told(a_reply_in_two_posts(), page=page, recent={MessageId("m2"): notice(9, "late")}))
    assert [turn.notices for turn in shown.turns] == [(), ("<p>Notice n.</p>\n",), ("<p>Notice late.</p>\n",)]


def test_a_notice_that_was_taken_away_is_gone_before_the_store_knows() -> None:
    page = StoryPage(a_reply_in_two_posts().turns, (Shown(MessageId("m1"), notice(1)),), has_older=False)
    shown = view(told(a_reply_in_two_posts(), page=page, recent={MessageId("m1"): None}))
    assert all(turn.notices == () for turn in shown.turns)


def test_a_story_without_turns_shows_its_notices() -> None:
    page = StoryPage((), (Shown(MessageId("m1"), notice(0)),), has_older=False)
    assert view(told(a_session(), page=page)).notices == ("<p>Notice n.</p>\n",)


def test_older_turns_are_a_link_to_the_first_shown_one() -> None:
    session = a_reply_in_two_posts()
    page = StoryPage(session.turns[1:], (), has_older=True)
    assert view(told(session, page=page)).earlier == 1
    assert view(told(session)).earlier is None


def test_a_post_that_waits_is_shown_at_the_end() -> None:
    post = InboundPost(EventId("e"), HERE, TOBIAS.author, "Tobias", "Wait for me.")
    ((_, who, html),) = view(told(a_session(), waiting=[post])).waiting
    assert (who.name, html) == ("Tobias", "<p>Wait for me.</p>\n")


def test_a_face_is_always_the_same_and_has_a_letter() -> None:
    assert face("Mira of the Inn") == face("Mira of the Inn")
    assert face("Mira of the Inn").initials == "MO"
    assert face("").initials == "?"
    assert 0 <= face("ليلى").hue < HUES


def test_names_and_texts_are_escaped_in_the_thread() -> None:
    evil = '"><script>alert(1)</script>'
    session = story.greet(a_session(character=replace(a_session().character, name=evil, greeting=evil)))
    session = with_turn(session, replace(session.turns[0], posts=(evil,)))
    facts = {"view": view(told(session)), "token": "t", "hidden": "", "here": "", "bare_notices": (), "last_word": ""}
    html = print_page("thread.html", **facts)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 3


def test_posts_that_wait_are_shown_on_the_newest_page_only() -> None:
    waiting = (InboundPost(EventId("late"), HERE, TOBIAS.author, TOBIAS.name, "Wait for me."),)
    session = a_reply_in_two_posts()
    assert len(view(told(session, waiting=waiting)).waiting) == 1
    assert view(told(session, waiting=waiting, is_newest=False)).waiting == ()


def test_an_aside_is_told_from_the_story_and_leaves_the_acts_to_the_last_reply() -> None:
    shown = view(told(story.add_aside(a_reply_in_two_posts(), TOBIAS.author, "Tobias", "Away *now*."))).turns
    assert [turn.is_aside for turn in shown] == [False, False, False, True]
    assert shown[-1].posts == ("<p>Away <em>now</em>.</p>\n",)
    assert (shown[-1].acts, shown[-1].can_branch, shown[-1].can_go) == (False, False, True)
    assert shown[-2].acts


def test_dice_stand_with_their_turn_which_need_not_have_words() -> None:
    roll = DiceRoll("Tobias", "2d6+1", "2d6 (3, 5) + 1", 9, "the lock")
    turn = view(told(story.add_rolls(story.greet(a_session()), TOBIAS, (roll,)))).turns[-1]
    assert (turn.posts, turn.rolls) == ((), (roll,))


def test_a_reply_that_was_cut_says_so() -> None:
    session = a_reply_in_two_posts()
    cut = session.turns[-1].with_variant(Variant("One.", is_cut=True))
    turn = view(told(with_turn(session, cut))).turns[-1]
    assert (turn.state, turn.is_cut, turn.acts) == ("cut short", True, True)
    assert not view(told(session)).turns[-1].is_cut


def test_a_reply_that_is_being_written_on_is_not_cut_short() -> None:
    session = with_turn(a_reply_in_two_posts(), a_reply_in_two_posts().turns[-1].with_variant(Variant("One.", is_cut=True)))
    assert view(told(story.extend(session, 3))).turns[-1].state == ""


def test_the_turns_of_a_branch_are_shown_though_they_stand_in_no_posts() -> None:
    session = a_reply_in_two_posts()
    there = Place(HERE.platform, ChannelKey("there"))
    _, branched = branch(session, session.turns, 2, SessionId("new"), there)
    assert [turn.posts for turn in view(told(branched)).turns][1:] == [("<p>Hello?</p>\n",), ("<p>One. Two.</p>\n",)]


def test_a_branch_is_linked_from_its_turn_and_links_back() -> None:
    session = a_reply_in_two_posts()
    there = Place(HERE.platform, ChannelKey("there"))
    linked, branched = branch(session, session.turns, 1, SessionId("new"), there)
    shown = view(told(linked, main=HERE)).turns
    assert [[way.address for way in turn.ways] for turn in shown] == [[], ["/t/there"], []]
    came = view(told(branched, main=HERE)).came
    assert came is not None
    assert came.address == "/"


def test_a_notice_that_names_another_thread_leads_there() -> None:
    session = a_reply_in_two_posts()
    there = Place(HERE.platform, ChannelKey("there"))
    linked, _ = branch(session, session.turns, 1, SessionId("new"), there)
    said = replace(notice(2), text=BRANCHED.format(place="there"))
    page = StoryPage(session.turns, (Shown(MessageId("m1"), said), Shown(MessageId("m2"), notice(2, "there"))), has_older=False)
    first, second = view(told(linked, page=page, main=HERE)).turns[-1].notices
    assert first == '<p>The story goes on another way in <a href="/t/there">another thread</a>.</p>'
    assert second == "<p>Notice there.</p>\n"


def test_a_part_that_goes_on_elsewhere_is_only_read() -> None:
    session = a_reply_in_two_posts()
    locked, part = next_part(session, SessionId("new"), Place(HERE.platform, ChannelKey("two")), "They met.")
    shown = view(told(locked, main=HERE))
    assert (shown.locked, [way.address for way in shown.parts], shown.can_undo) == (True, ["/t/two"], False)
    assert not any(turn.acts or turn.can_go or turn.can_branch or turn.edit_text is not None for turn in shown.turns)
    assert view(told(part, main=HERE)).came is not None


def test_a_way_to_another_platform_is_words_without_a_link() -> None:
    elsewhere = Link(LinkKind.BRANCH, SessionId("x"), Place(Platform("far"), ChannelKey("there")), 1)
    ((way,),) = (turn.ways for turn in view(told(replace(a_reply_in_two_posts(), goes_on_in=(elsewhere,)))).turns if turn.ways)
    assert way.address == ""


def test_a_paused_story_says_so() -> None:
    assert view(told(pause(a_session(), paused=True))).paused
    assert not view(told(a_session())).paused


def test_turns_that_left_the_window_can_be_branched_from_and_not_changed() -> None:
    session = a_reply_in_two_posts()
    older = replace(session, turns=session.turns[1:], window_start=1)
    first = view(replace(told(older), page=StoryPage(session.turns, (), has_older=False))).turns[0]
    assert (first.can_branch, first.can_go) == (True, False)


def test_the_length_that_holds_is_one_that_can_be_chosen() -> None:
    settings = a_session().settings
    lengths = [view(told(a_session(settings=replace(settings, length=length)))).length for length in (None, Length.TINY)]
    assert lengths == ["none", "tiny"]
    assert view(told(a_session(settings=replace(settings, matches_length=True)))).length == "auto"
