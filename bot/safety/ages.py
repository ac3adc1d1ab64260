"""Ages below eighteen that are stated: in figures, in words, in forms, by birthdays, by years, and in answers."""

from bot.safety.concern import Reason
from bot.safety.rule import Rule, pattern, rule
from bot.safety.vocabulary import TALLIES, THINGS

_BE = r"(?:'s|'m|'re|_(?:is|am|are|was|were|be|been|being|isn't|wasn't|aren't)(?:_not)?)"
_FILL = (
    r"(?:(?:only|just|barely|about|around|maybe|perhaps|possibly|probably|almost|nearly|not|even|really|actually|still|exactly"
    r"|roughly|like|now|already|also|both|all|each|merely|scarcely|hardly|approximately|technically|physically|biologically"
    r"|mentally|secretly|currently|at_most|at_least|no_more_than|not_more_than|more_than|no_older_than|older_than|younger_than"
    r"|not_a_day_over|under|turning|going_on|of_age|aged|sweet|some|somewhere|between|in_between|near|close_to|all_of),?_){0,3}"
)
_PERSON = (
    r"(?:girl|boy|lad|lass|maid|maiden|child|youth|creature|princess|prince|student|pupil|daughter|son|sister|brother|woman|man"
    r"|lady|thing|slip|beauty|bride|orphan|heir|heiress|king|queen|duke|apprentice|page|squire|servant|slave|novice"
    r"|kid|runaway|twins?|girls|boys|elf|witch)"
)
_COUNTED = (
    r"(?:faces|sorrows|words|parts|talents|names|sons|daughters|minds|trades|moods|wives|husbands|hearts|souls|lives"
    r"|realms|kingdoms|seas|crowns|swords|cups|miles|inches"
    r"|feet|foot|minutes|hours|days|weeks|months|years(?!_old)|seconds|met(?:re|er)s|pounds|kilos|dollars|coins|gold|silver"
    r"|percent|degrees|men|people|of|steps|paces|times|points)\b"
)
_SEASONS = r"(?:summers|winters|springs|autumns|harvests)"
_OLD = (
    r"(?:[-_]{1,2}(?:years?|yrs?|summers|winters|springs|autumns)(?:_and_(?:a_half|\d{1,2}_months))?[-_]{1,2}"
    r"(?:olds?|of_age|young)|_?(?:yo|y/o|y\.o|yrs?_?old|yro|yr_old))\b"
)
_CALENDAR = (
    "(?:january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday"
    "|wednesday|thursday|friday|saturday|sunday)"
)
_NOT_NAMES = (
    rf"(?:one|chapter|page|section|figure|table|volume|book|part|psalm|room|act|scene|level|version|no|episode|{_CALENDAR})"
)

_UNDER_18 = (
    r"(?:(?:almost|nearly|barely|under|below|younger_than|less_than|until|till|before|just_turned|freshly|newly|shy_of|short_of"
    r"|away_from|approaching|close_to|near|going_on|practically|about_to_be|about_to_turn|will_be|'ll_be|turning|turns"
    r"|will_turn|(?:will|'ll|won't)_(?:<w>_)?be|not|not_yet|not_quite|not_even|never_be|hasn't_turned|hasn't_reached"
    r"|not_turned|not_reached|isn't_yet"
    r"|isn't_even|isn't|aren't|wasn't|weren't|hadn't_turned|won't_be|haven't_turned|(?:years?|months?|weeks?|days?|hours?)_"
    r"(?:from|to|until|till|before|off|shy_of|short_of|away_from)(?:_(?:being|turning|becoming|her|his|their|she's|he's|they're"
    r"|she_is|he_is|they_are|she_turns|he_turns))?)_)"
)

STATED = (
    rule(
        Reason.STATED_AGE,
        rf"<age>{_OLD}|(?<![a-z0-9.,$£€])(?:1[0-7]|[1-9])(?:yo|y/o|y\.o|yro|yrs?_?old)\b",
        rf"<age>{_OLD}[-_](?:<w>_){{0,2}}(?:{THINGS})s?\b"
        rf"|\b(?:{THINGS})s?(?:_<w>){{0,2}}(?:_(?:is|are|was|were|looked|seemed)|'s)_(?:<w>_){{0,2}}<age>{_OLD}",
        is_past=True,
        cues="old young yo yr y/o y.o age",
    ),
    rule(
        Reason.STATED_AGE,
        rf"{_BE}_{_FILL}(?P<hit><age>)<end>",
        rf"\b(?:{TALLIES})(?:'ll|_(?:will|must|might|may|could|would|should|can't))?(?:_not)?{_BE}_{_FILL}<age>"
        rf"|\b(?:{THINGS})s?{_BE}_{_FILL}<age>_years?_old",
        is_past=True,
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:will|'ll|must|might|may|could|would|should|to|can't|couldn't|won't)_(?:not_)?be_"
        rf"{_FILL}(?P<hit><age>)<end>",
        rf"\b(?:{TALLIES})(?:_<w>)?(?:'ll|_(?:will|must|might|may|could|would|should|to|can't))_(?:not_)?be_",
    ),
    rule(
        Reason.STATED_AGE,
        rf"\bage[sd]?(?:_range|_group)?\b_?(?:\(<w>\))?_?(?:[:=—|-]|is|was|of)?_?{_FILL}(?P<hit><age>)",
        r"\baged_(?:for_)?<age>_(?:years|months)_in\b|\bmiddle_age|\b(?:stone|iron|bronze|golden|dark|ice)_ages?\b",
        is_past=True,
        cues="age",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:turns|turned|turning|becomes|becoming|became|(?:to|will|'ll|i|you|they|we|about_to)_turn)_(?:just_"
        r"|only_|barely_)?(?P<hit><age>)<end>",
        is_past=True,
        cues="turn becom becam",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:[1-9]|1[0-7])(?:th|st|nd|rd)_birthdays?\b",
        r"\b(?:its|company's|city's|town's)_<w>_birthday",
        cues="birthday",
    ),
    rule(
        Reason.STATED_AGE,
        rf"\b(?:seen|saw|sees|counted|counts|lived|lived_through|survived|known|knew|of|barely|only|scarcely|hardly"
        rf"|just|is|was|has)_"
        rf"{_FILL}<age>_{_SEASONS}\b",
        rf"\b(?:for|after|spent|took|of_the|these|those)_{_FILL}<age>_{_SEASONS}",
        cues="summer winter spring autumn harvest",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:her|his|my|your|their)_(?:[4-9]|1[0-7])th_(?:year|summer|winter|spring)<end>",
        r"th_year_(?:as|at|in|on|with)\b",
        cues="year summer winter spring",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:sweet|forever|eternally|perpetually|permanently|always)_<age>\b",
        cues="sweet forever eternal perpetual permanent always",
    ),
    rule(
        Reason.STATED_AGE,
        r"\bat_(?:only_|just_|barely_)?(?P<hit>1[3-7])(?:,|_(?:she|he|they|i|you|already|had|was|is)\b)",
        is_past=True,
    ),
    rule(
        Reason.STATED_AGE,
        rf"\b(?:youngest|oldest|eldest|each|both|none|one)_of_(?:<w>_){{1,3}}(?:is|are|was|were)_{_FILL}(?P<hit><age>)<end>",
        cues="youngest oldest eldest each both none one",
    ),
    rule(
        Reason.STATED_AGE, rf"\b(?:im|shes|hes|theyre|youre|ur)_{_FILL}(?P<hit><age>)<end>", cues="im shes hes theyre youre ur"
    ),
    rule(
        Reason.STATED_AGE,
        rf"\b(?:make|made|making|let)_(?:her|him|them|me|us|{{{{char}}}}|{{{{user}}}})_{_FILL}(?P<hit><age>)<end>",
        cues="make made making let",
    ),
    rule(Reason.STATED_AGE, r"(?:,|\bthing|\bgirl|\bboy)_(?P<hit><age>)_at_(?:the_)?(?:most|outside)\b", cues="most outside"),
    rule(
        Reason.STATED_AGE,
        r"\b(?:blew|blows?|blowing)_out_(?:<w>_){0,2}<age>_candles\b|<age>_candles_on_(?:<w>_){1,2}cake\b",
        cues="candles",
    ),
    rule(Reason.STATED_AGE, r"\bborn_(?:only_|just_|barely_|some_|about_)?<age>_years?_ago\b", cues="born"),
    rule(
        Reason.STATED_AGE,
        r"\b(?:card|id|passport|licen[cs]e|certificate|papers|records?|file|profile|sheet|form)_(?:says?|said|reads?"
        r"|states?|shows?)_"
        rf"(?:that_)?(?:(?:she|he)(?:'s|_is|_was)_)?{_FILL}(?P<hit><age>)<end>",
        cues="say said read state show",
    ),
    rule(
        Reason.STATED_AGE,
        r"(?:\bnot|n't|\bcannot)_(?:<w>_){0,2}?(?:allowed_to_|able_to_|legally_)?(?:vote|drive|drink|marry"
        r"|enlist)_(?:yet|until|till|legally|for_(?:another|<age>))\b",
        cues="vote drive drink marry enlist",
    ),
    rule(
        Reason.STATED_AGE,
        r",_(?:barely|only|just|hardly|scarcely|not_yet|all_of|about|perhaps|maybe|nearly|almost)_(?:<w>_)?(?P<hit><age>),",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:she/her|he/him|they/them|she/they|he/they)_?[,|/;]?_?(?P<hit><age>)(?=_?[)|,/;\n]|\Z)",
        cues="she/ he/ they/",
    ),
    rule(Reason.STATED_AGE, r"<age>_in_(?:human|earth|mortal|elf|elven|our)_years\b", cues="years"),
    rule(Reason.STATED_AGE, r"<age>[-_]going[-_]on[-_]\d", cues="going"),
    rule(Reason.STATED_AGE, r"1[3-7]-?_?ish\b|1[0-7]_y_o\b", cues="ish y"),
    rule(
        Reason.STATED_AGE,
        r"(?:\A|[.,;:!?\n\"(—]_?|\b(?:and|but)_)(?:now|only|just|barely|still|already|hardly"
        r"|not_quite)_(?P<hit><age>),_(?:she|he|they|i|the|and|but)\b",
    ),
    rule(Reason.STATED_AGE, r"\bat_(?:only_|just_|barely_)?(?P<hit>1[3-7])(?=_and_(?:never|had)|\.)", is_past=True),
    rule(
        Reason.STATED_AGE, r"\b(?:decade_and_a_half|decade)[-_]old\b|\b\d_?\+_?\d_years_old\b", rf"old_(?:{THINGS})", cues="old"
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:\d{1,2}|an?|few|several)[-_](?:months?|weeks?|days?)[-_]old\b",
        rf"old_(?:<w>_){{0,2}}(?:{THINGS})|\b(?:{THINGS}|foal|puppy|kitten|calf|lamb|chick|news|bread|milk|stubble"
        rf"|beard)s?_(?:is|was|were|are)_<w>_<w>_old"
        r"|old_(?:news|bread|milk|stubble|beard|puppy|puppies|kittens?|foal|calf|lamb|chicks?)",
        cues="old",
    ),
)

_LOOKING = r"(?:here|looking|seeking|from|rp|lf|for)"
_DEGREES = (
    r"\d_?f(?:,|_|\.)?_?(?:<w>_){0,3}(?:degrees|outside|weather|temperature|inside|today)"
    r"|(?:temperature|degrees|weather|fell_to|below)_(?:<w>_){0,3}\d\d_?f\b"
)

FORMS = (
    rule(
        Reason.STATED_AGE, r"[,;]_(?P<hit><age>)(?=[,.;:!?)—\n]|_and\b|\Z)(?!,\d)", rf"\b{_NOT_NAMES}[,;]_<age>", is_named=True
    ),
    rule(
        Reason.STATED_AGE,
        r"_?[(\[]_?(?:age_?:?_?|aged_)?(?P<hit><age>)_?(?:[)\],]|/_?[a-z])",
        rf"\b{_NOT_NAMES}_?[(\[]",
        is_named=True,
    ),
    rule(
        Reason.STATED_AGE,
        rf"\b{_PERSON}(?:,_<age>(?:,|_(?:and|but)_)|_?[(\[]_?(?:age_?:?_?|aged_)?<age>_?[)\],]"
        rf"|_of_{_FILL}<age>(?![.,:]\d|_{_COUNTED}))",
        rf"\b(?:youngest|eldest|oldest|middle|one|last|\d{{1,2}}th)_{_PERSON}_of",
    ),
    rule(
        Reason.STATED_AGE,
        r"1(?<![\w.,:/$]1)[0-7]_?(?:[/|]?_?f(?:emale)?|[/|]_?(?:m|male|girl|boy|she|he|they|nb)|,?_?male|,?_female|_?m_"
        + _LOOKING
        + r")\b|[5-9](?<![\w.,:/$][5-9])_?[/|]_?(?:girl|boy|female|male|she|he|they|f|m|nb)\b",
        _DEGREES,
    ),
    rule(
        Reason.STATED_AGE,
        r"\bf(?:emale,?)?_?[/|]?_?1[0-7](?![\w.:/-])|\bm_?/_?1[0-7](?![\w.:/])|\bmale,?_1[0-7](?![\w.:/])|\bm_?1[0-7]_"
        + _LOOKING
        + r"\b",
        _DEGREES,
    ),
    rule(Reason.STATED_AGE, r"[(\[]_?(?:1[0-7]_?m|m_?1[0-7])_?[\])]"),
)

EIGHTEEN = (
    rule(
        Reason.STATED_AGE,
        rf"\b{_UNDER_18}(?:quite_|yet_|even_|be_|turned_)?18\b(?:<end>|_(?:in|next|soon|years_old)|[-_]years?[-_]old)",
        r"\b(?:no_one|nobody|none|no_(?:<w>_)?|anyone|everyone|not_for_<w>_)_?(?:<w>_){0,2}(?:under|below|younger_than)_18\b"
        r"|\b(?:until|till|before|not|near)_18(?:_hours|:)",
        cues="18",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:under|below|before|until|not_yet|near|close_to|younger_than)_(?:the_)?age_of_(?:18|<age>|majority|consent)\b"
        r"|\b(?:she|he|they|i|you)(?:'s|'m|'re|_is|_am|_are|_was|_were)_not_(?:yet_|even_|quite_)?legal\b|\b(?:isn't"
        r"|aren't|wasn't)_(?:yet_|even_|quite_)?legal_(?:yet|anywhere)\b"
        r"|\b(?:she|he|they)_(?:isn't|aren't|wasn't)_(?:yet_|even_|quite_)?legal\b|\blegal_(?:soon|in_(?:\d{1,2}|a|an"
        r"|a_few)_(?:years?|months?|weeks?|days?))\b"
        r"|\b(?:years?|months?)_(?:until|till|before)_(?:she|he|they|i|you)(?:'s|_is|_are)?_(?:may|can|could"
        r"|allowed_to)_(?:<w>_)?(?:vote|drive|drink|marry|enlist|smoke|sign)\b",
        r"\b(?:no_one|nobody|none|no_<w>|anyone|everyone)_(?:<w>_){0,2}(?:under|below)_the_age",
        cues="age legal vote drive drink marry enlist smoke sign",
    ),
    rule(
        Reason.STATED_AGE,
        rf"\b(?:barely|almost|nearly|not_yet|not_quite|just_turned|freshly|newly)_18(?![\w.,:-]\d|_{_COUNTED}|th|\w)",
        cues="18",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b18th_birthday_(?:is|was|'s)_(?:<w>_){0,4}?(?:away|off|ahead|next|in|tomorrow|soon)\b"
        r"|\b(?:she|he|they|i|you)_(?:won't|wouldn't|will_not|would_not)_be_legal\b"
        r"|(?:\bnot|n't)_(?:<w>_)?an?_grown_(?:wo)?man_yet\b|\bnot_yet_an?_(?:grown_|real_)?(?:woman|man|adult)\b",
        cues="18th legal grown yet",
    ),
    rule(Reason.STATED_AGE, r"\b(?:sub-|u-?|under-)18s?\b|<_?18\b", r"\bno_<w>_?18", cues="18"),
    rule(
        Reason.STATED_AGE,
        rf"(?:{_UNDER_18}|\b(?:from|to|upcoming|until|before|awaits|awaiting)_)(?:(?:her|his|my|your|their"
        rf"|the)_)?18th_birthday\b",
        cues="18th",
    ),
    rule(
        Reason.STATED_AGE,
        r"(?<![\w])barely[-_](?:legal|of_age)\b|\bjailbait\b|\bunder-?_?aged?\b|\bunder_(?:the_)?legal_age\b"
        r"|(?:\bnot|n't|\byet|hasn't|haven't|hadn't|isn't|wasn't)_(?:<w>_){0,2}(?:legal_yet|of_(?:legal_)?age"
        r"|come_of_age|reached_(?:adulthood|majority)|an_adult|a_grown_?-?up)\b"
        r"|\b(?:soon|will|'ll)_(?:soon_|finally_)?(?:be|become|come)_(?:legal|of_(?:legal_)?age|an_adult|a_grown_?-?up)\b",
        r"\bno_under-?_?age",
        cues="legal age aged jailbait adult grown majority",
    ),
    rule(
        Reason.STATED_AGE,
        r"\b(?:years?|months?|weeks?|days?)_(?:away_)?(?:from|until|till|before|short_of|shy_of|off)_(?:<w>_){0,2}"
        r"(?:adulthood|majority|(?:an_)?adult|legal(?:_age)?|of_age|coming_of_age|18)\b",
        cues="adult majority legal age 18",
    ),
)

ANSWERS = (
    rule(
        Reason.STATED_AGE,
        r"\b(?:(?:how_old|(?:your|her|his|their)_age|what_age|a/?s/?l)\b[^?.!\d]{0,40}|age)\?[^\d?]{0,90}(?P<hit><age>)<end>",
        rf"\bhow_old_(?:is|was|are|were)_(?:it|this|that)\b(?!_(?:<w>_)?{_PERSON})|\bhow_old_(?:is|was|are"
        rf"|were)_(?:the|this|that|your|these)(?:_<w>)?_(?:{THINGS})s?\b",
        cues="?",
    ),
    rule(
        Reason.STATED_AGE,
        r"\"(?P<hit><age>)[.,!?][^?]{0,80}\b(?:how_old_(?:she|he|they|i|you)_(?:is|was|are|were|am)|(?:her|his|my"
        r"|their|your)_age)\b",
        cues="old age",
    ),
    rule(Reason.STATED_AGE, r"\bwhat,_(?P<hit><age>)\?", cues="what,"),
    rule(
        Reason.STATED_AGE,
        r"(?P<hit><age>)[,.!?]{0,3}\"_?[^\d?.!\"]{0,60}\b(?:how_old|(?:her|his|my|their|your)_age)\b",
        cues="old age",
    ),
)

BORN = pattern(
    r"\b(?:born|b\.|dob|d\.o\.b\.|birth_?date|date_of_birth|year_of_birth"
    r"|birthday)_?:?_?(?:[\w,./-]{1,12}_){0,3}[\d./-]{0,6}((?:19|20)\d\d)\b"
)
"""A year of birth; whether it is a minor's depends on the year that is now."""

RULES: tuple[Rule, ...] = (*STATED, *FORMS, *EIGHTEEN, *ANSWERS)
