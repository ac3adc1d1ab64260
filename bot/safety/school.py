"""School years that only minors are in, and what stands at a school without being a pupil."""

from bot.safety.concern import Reason
from bot.safety.rule import Rule, rule

_GRADE = r"(?:[1-9]|1[0-2])"
_STAFF = (
    r"(?:teachers?|teacher's|principals?|headmaster|headmistress|coach(?:es)?|counsell?ors?|librarians?|janitors?"
    r"|nurses?|caretakers?"
    r"|professors?|instructors?|secretary|reunions?|diplomas?|dropouts?|sweethearts?|days|years|yearbook|memories|friends?"
    r"|ring|football|basketball|baseball|soccer|swimming|band_teacher|gym_teacher|building|graduates?)"
)
_LOWER = (
    r"(?:(?:high|middle|secondary|grade|elementary|primary|junior_high|nursery|grammar|prep"
    r"|boarding)[-_]?schools?|kindergartens?|preschools?|junior_high)"
)
_WORKS = (
    r"(?:teach(?:es|er|ers|ing)?|taught|works?|working|worked|coach(?:es|ed|ing)?|principal|headmaster|headmistress"
    r"|janitor|librarian"
    r"|counsell?or|nurse|substitute|professor|instructor|job|post|position)"
)
_PAST = (
    r"(?<!just )(?<!barely )(?:after|since|finished|graduated(?:_from)?|left|back_in|met_in"
    r"|met_at|years_out_of|out_of|dropped_out_of"
    r"|remember\w{0,4}(?:_from)?"
    r"|built|old|former|abandoned|ruined|closed)"
)
_COLLEGE = r"(?:college|university|undergrad|undergraduate|grad|campus|law_school|med(?:ical)?_school)"

RULES: tuple[Rule, ...] = (
    rule(
        Reason.SCHOOL,
        r"\bschool[-_]?(?:girl|boy|child|kid|children|mate)s?\b|\bschool[-_]aged?\b|\bsixth[-_]?form(?:er)?s?\b"
        r"|\b6th[-_]form\w{0,3}\b",
        r"\blike_(?:an?|two|some)_(?:<w>_)?school[-_]?(?:girl|boy|kid)s?\b|\b(?:old|former)_school_?mates?\b"
        r"|\bschool_?mates?_(?:from|once|years)",
        cues="school form",
    ),
    rule(
        Reason.SCHOOL,
        r"\b(?:high|middle|grade|elementary|primary|secondary|nursery|pre|junior_high)[-_]?school(?:er|ers)\b"
        r"|\bkindergart(?:e)?ners?\b"
        r"|\bpreschool(?:er|ers)?\b|\bday-?_?care\b",
        rf"\b(?:preschool|daycare|day_care)_(?:<w>_)?{_STAFF}|\b{_WORKS}_(?:<w>_){{0,3}}(?:preschool|day-?_?care)",
        cues="schooler preschool kindergart day",
    ),
    rule(
        Reason.SCHOOL,
        rf"\b{_LOWER}\b",
        rf"\b{_LOWER}(?:_<w>)?_{_STAFF}\b|\b{_WORKS}_(?:<w>_){{0,4}}{_LOWER}|\b{_PAST}_(?:<w>_){{0,1}}{_LOWER}"
        rf"|\b{_LOWER}(?:,|_was|_were)?_(?:long_ago|years_ago|\d\d_years_ago)|\b{_LOWER}_(?:roof|lot|parking_lot|gates?_had)",
        cues="school kindergarten junior",
    ),
    rule(
        Reason.SCHOOL,
        rf"\b{_GRADE}(?:th|st|nd|rd)?[-_]grad(?:e|ers?)\b|\b(?:in|entering|into|starting|of|from)_(?:the_)?grade_{_GRADE}\b"
        rf"|\byear_(?:[1-9]|1[0-3])_(?:pupil|student|boy|girl|class|at_school|kid)s?|\b(?:in|(?:girl|boy|student"
        rf"|kid)s?_(?:from|of))_year_(?:[1-9]|1[0-3])\b(?!_of)|\b(?:elementary|primary)_(?:student|kid|pupil)s?"
        rf"|\bgrade-?_?schooler|\bgrader\b",
        rf"\b(?:teach(?:es|ing|er)?|taught)_(?:<w>_){{0,2}}{_GRADE}(?:th|st|nd|rd)?[-_]grad(?:e|ers?)|\bgrad(?:e"
        rf"|er)_(?:<w>_)?{_STAFF}|\broad_grader",
        cues="grad year elementary primary",
    ),
    rule(
        Reason.SCHOOL,
        r"\b(?:freshm[ae]n|sophomores?|homeroom|prom_(?:night|date|dress|king|queen)|(?:senior|junior)_prom"
        r"|quincea[ñn]eras?|ba[rt]_mitzvah|gcses?"
        r"|a-levels|learner's_permit|driver's_ed|p?sats|hall_pass|recess_bell|spelling_bee|show_and_tell)\b"
        r"|\b(?:freshman|sophomore|junior|senior)_year\b|\bto_(?:the_)?prom\b",
        rf"\b{_COLLEGE}_(?:<w>_){{0,4}}(?:freshm[ae]n|sophomores?|(?:freshman|sophomore|junior|senior)_year)"
        rf"|(?:freshm[ae]n|sophomores?|(?:freshman|sophomore|junior|senior)_year)(?:,|_<w>){{0,4}}_(?:<w>_)?{_COLLEGE}"
        rf"|\bfreshman_(?:senator|congress\w{{0,8}})",
        cues="fresh sophomore homeroom prom quincea mitzvah gcse levels permit driver sats pass recess spelling show year",
    ),
    rule(
        Reason.SCHOOL,
        r"\bschool[-_](?:uniforms?|bus|nurse|play|trip|yard|days|bag|books?|work|recess|detention)\b|\bschool(?:bag"
        r"|yard|work)\b"
        r"|\b(?:still|skip|skips|skipped|skipping|walks?_(?:home_)?from|home_from|late_for|off_to|goes_to|go_to"
        r"|attends?|attending|starts)_(?:(?:in|at|to|the|her|his|my|local|public|private|same)_){0,2}school\b"
        r"|\b(?:is|are|she's|he's|i'm)_(?:still_|now_)?(?:at|in)_school\b|\b(?:student|goes|attends|freshman"
        r"|cheerleader|captain|varsity|quarterback|class|junior|senior)_(?:at_|to_|of_)?(?:<w>_){1,2}high(?=[.,;!?\"]|\Z|_(?:and|in"
        r"|who)\b)|\b(?:lunch|ready|dressed|leaves)_for_school\b|\bafter_school\b|\bat_school_(?:today|tomorrow)|\bdoing_(?:her|his|their|my)_homework\b"
        r"|\bhomework_(?:is|from|for)\b",
        rf"\b{_COLLEGE}|\b(?:law|med|medical|grad|graduate|art|night|business|nursing|film|trade|flight|drama"
        rf"|culinary)_school|\bschool_days_(?:were|are)|\b(?:in|of)_(?:her|his|their|my)_school_?days",
        cues="school homework high",
    ),
    rule(
        Reason.SCHOOL,
        r"\b(?:(?:an?|the|star|fellow|youngest|school)_pupils?|pupils_(?:of|at|from|in|who|sat|lined|filed|giggled"
        r"|raised|whispered|stood))\b",
        r"\bpupils?_(?:dilat|widen|narrow|contract|shr|of_(?:her|his|the|my|your|their)_eye|were|was|are|in_(?:her|his"
        r"|the)_eye|blown|pin|fixed|black|slit|is|like)",
        cues="pupil",
    ),
)
