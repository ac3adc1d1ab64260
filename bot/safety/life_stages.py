"""Words for minors: children, teenagers, kin who are small, and the slang that stands for them."""

from bot.safety.concern import Reason
from bot.safety.rule import Rule, rule

_PLURAL = r"(?:children|kids)"
_WANT = r"(?:want|wants|wanted|wanting|have|having|raise|raising|bear|bearing|like|start|try_for|trying_for|expect)"
_NONE = r"(?:no|never|not|without|neither|nor|any|don't|doesn't|didn't|cannot|can't|couldn't|won't)"

_CHILD = r"(?:child|children|kids?|kiddos?|kiddies?|kiddy)"
_CHILD_EXCUSES = (
    r"\bchild's_play|\bchildren's_(?:book|song|rhyme|tale|hospital|author|literature|crusade)s?|\bbrain-?_?child\b"
    r"|\binner_child\b|\bman-?_?child\b"
    r"|\b(?:love|poster|problem|wild|flower)[-_]child\b|\bchild[-_](?:free|rearing|bearing|birth|support)\b|\bwith_child\b"
    r"|\b(?:only|eldest|oldest|middle|firstborn|first-born|\d{1,2}th|last)_child\b|\byoungest_child_of\b"
    r"|\b(?:adult|grown|grown-up|grownup|grown_up)_(?:<w>_)?(?:children|kids|child)\b|\b(?:children"
    r"|kids)_are_(?:all_)?(?:grown|adults)"
    rf"|\b{_NONE}_(?:<w>_){{0,2}}(?:have|had|having|want|wanted|bear|like)_(?:<w>_)?(?:{_PLURAL}|child)\b(?!_(?:who"
    rf"|whose|in|at|on))"
    rf"|\b(?:no|without|neither)_(?:{_PLURAL}|child)\b(?!_(?:who|whose|in|at|on|any_?more))"
    rf"|\b{_WANT}_(?:to_have_|some_|more_|any_|his_|her_|your_|many_)?(?:{_PLURAL}|a_child)_(?:one_day|some_?day"
    rf"|of_(?:her|his|their|my)_own|together|yet|eventually|with_(?:him|her|you))"
    r"|\bchildren_of_(?:the_)?(?:god|gods|revolution|light|men|israel|night|stars|moon|sea|forest|war|darkness)\b"
    r"|\bchild_of_(?:fortune|god|the_sixties|the_seventies)\b"
    rf"|(?<!look_)(?<!looks_)(?<!looked_)(?<!seems_)(?<!acts_)(?<!dressed_)(?<!built_)(?<!body_)\blike_(?:(?:an?|two"
    rf"|some)_)?(?:<w>_){{0,2}}(?:child|kid|children|kids)\b"
    r"|\bas_\w{1,12}_as_an?_(?:<w>_)?(?:kid|child)\b|\b(?:i|we)_kid(?:_you)?(?:_not)?\b|\bkid_(?:gloves?|leather|skin"
    r"|you_not|ourselves|yourself|himself|herself|myself)\b|\bkid-(?:gloves?|leather)\b"
    r"|\b(?:don't|do_not|to|not_to|you)_kid_(?:me|you|yourself|ourselves|around)\b|\bwhiz-?_?kids?_of_finance\b|\bgoat_kids?\b"
    r"|\b(?:kid|little|baby|younger)_(?:brother|sister)_?[(,]?_?(?:<w>_){0,3}(?:1[89]|[2-9]\d)\b|\b(?:kid|little"
    r"|baby)_(?:brother|sister)(?:'s)?_(?:wife|husband)\b"
)
_BABY_EXCUSES = (
    r"\b(?:have|having|had|want|wants|make|making|expecting|carrying|trying_for|for)_(?:a|your|his|her|my|the)_baby\b"
    r"|\b(?:like|such|be|being|big|as)_(?:an?_)?(?:<w>_)?baby\b|\bbaby_(?:blue|steps|grand|powder|face|oil|shower|bump"
    r"|hairs?|pink|carrots?)\b|\bslept_like_(?:<w>_){1,3}\b"
)
_TEEN = (
    r"(?:pre-?_?)?teens?\b|(?:pre-?_?)?teen(?:age(?:d|rs?)?|y-?_?boppers?)\b|tweens?\b|tweenies?\b|tweenagers?\b"
    r"|adolescents?\b|adolescence\b|juveniles?\b|pubescents?\b|prepubescents?\b|puberty\b"
)
_TEEN_EXCUSES = (
    r"\b(?:degrees|temperatures?|percent|prices?)_(?:<w>_){0,4}teens|\bin_the_(?:low|high|mid)?_?teens_(?:of|outside|below)"
    r"|\b(?:her|his|their|my)_(?:own_)?adolescence_(?:had|was|were|in)_|\bjuvenile_(?:humou?r|joke|remark|prank"
    r"|delinquency)|\bsince_(?:puberty|adolescence)\b"
)
_SMALL = r"(?:little|young|small|tiny|wee|lost|cute_little|innocent_little)"

RULES: tuple[Rule, ...] = (
    rule(Reason.LIFE_STAGE, rf"\b{_CHILD}\b", _CHILD_EXCUSES, is_past=True, cues="child kid"),
    rule(
        Reason.LIFE_STAGE,
        rf"\b(?:{_TEEN})",
        _TEEN_EXCUSES,
        is_past=True,
        cues="teen tween adolescen juvenile pubescent puberty",
    ),
    rule(
        Reason.LIFE_STAGE,
        r"\b(?:toddlers?|infants?|newborns?|neonates?|babies|tots|tykes?|moppets?|rugrats?|bairns?|nippers?"
        r"|younglings?|youngsters?"
        r"|ankle-?_?biters?|(?:street_|little_)?urchins?|cub_scouts?|(?:boy|girl)[-_]scouts?|choir-?_?boys?"
        r"|altar_boys?|cabin_boys?"
        r"|little_ones|small_fry|wee_ones|foster_(?:child|kid)|minor_child|baby-?_?sitters?|baby-?sit(?:s|ting)?)\b"
        r"|\b(?:an?|the)_youth(?:s)?\b(?!_(?:hostel|cent|club|movement|of_(?:today|the)))|\byouths\b|[👶🧒👦👧🍼🚸]",
        r"\bslept_like_babies|\binfant_(?:industry|science|republic|mortality)|\bcry-?_?babies|\bsea_urchins?",
        cues="toddl infant newborn neonat babies tots tyke moppet rugrat bairn nipper youngling youngst biter urchin scout"
        " choir altar cabin ones small minor foster baby youth 👶 🧒 👦 👧 🍼 🚸",
    ),
    rule(
        Reason.LIFE_STAGE,
        r"\b(?:an?|the|her|his|their|this|that|newborn|little|crying|sleeping)_(?:newborn_|little_|tiny_|sleeping_"
        r"|crying_)?bab(?:y|ies)\b(?!'s_breath)",
        _BABY_EXCUSES,
        cues="bab",
    ),
    rule(
        Reason.LIFE_STAGE,
        rf"\b{_SMALL},?_(?:<w>_){{0,2}}?(?:girls?|boys?|lad|lass|lassie|laddie|maiden|princeling|schoolmaid)\b",
        r"\blittle_(?:black|red|white|by|did|of|to|more|about|with)_<w>_?(?:<w>)?_(?:girls?|boys?)\b|\byoung_(?:woman"
        r"|women|man|men|lady|ladies)_<w>?"
        r"|\blike_an?_(?:little|small)_(?:girl|boy)_(?:in_a_candy|at_christmas)",
        is_past=True,
        cues="girl boy lad lass maiden princeling schoolmaid",
    ),
    rule(
        Reason.LIFE_STAGE,
        r"\b(?:(?:an?|the)_minor(?=[,.;:!?)\"'—\n]|\Z|_(?:but|in_(?:this|that|her|his|my|most|the_eyes)|who|at|under|so|by|because|child|girl|boy"
        r"|here|now|still|when|if)\b)|an?_minor_and_(?:she|he|they|you|i|so|not)|minors)\b"
        r"(?!_(?:<w>_)?(?:problem|fault|issue|detail|wound|injury|matter|setback|character|role|part|god|deity|key"
        r"|noble|spell|point|thing|annoyance|inconvenience))",
        r"\bin_(?:[a-g]_)?(?:flat_|sharp_)?a?_?minor\b|\bno_(?:<w>_)?minors\b|\bminors_(?:are_)?(?:not|prohibited"
        r"|forbidden|do_not|dni|must_not|may_not)\b|\basia_minor\b"
        r"|\b[a-g]_minor\b(?<=(?:in|of)_a_minor)|\ba_minor_(?:if|though|but|yet|or|and)_<w>|\ba_minor,_(?:if|though"
        r"|yet|but|and|or)_<w>",
        cues="minor",
    ),
    rule(
        Reason.RELATION,
        r"\b(?:little|baby|kid|tiny)_(?:step-?_?)?(?:brother|sister|sis|bro)s?\b|\b(?:young|small|infant|little|baby"
        r"|grade-?school|teen(?:age)?)_(?:step-?_?)?(?:sons?|daughters?|nephews?|nieces?|cousins?|grandsons?"
        r"|granddaughters?|grandchild(?:ren)?|wards?)\b"
        r"|\b(?:the|her|his|their)_baby_(?:girl|boy)s?\b",
        r"\b(?:kid|little|baby|young)_(?:brother|sister|son|daughter)_?[(,]?_?(?:<w>_){0,3}(?:1[89]|[2-9]\d)\b"
        r"|\b(?:kid|little|baby)_(?:brother|sister)(?:'s)?_(?:wife|husband)\b",
    ),
    rule(
        Reason.SLANG,
        r"\b(?:(?:legal_?|goth_?)?lo{1,2}lis?|lolitas?|lolicons?|shotas?|shotacons?|nymphets?|jail-?_?baits?|cunny"
        r"|toddlercon|kodocon|age-?_?play\w{0,3}|age_regress\w{0,4}"
        r"|little_?space|ddlg|abdl|chibis?|regress(?:es|ed|ing)?_(?:in)?to_(?:an?_)?(?:<w>_)?(?:child|toddler|infant|baby))\b",
        cues="lol loo shota nymphet jail cunny toddlercon kodocon age regress little ddlg abdl chibi",
    ),
)
