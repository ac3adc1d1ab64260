"""Minors by what they look like, or by what they are still too young for, whatever age is claimed."""

from bot.safety.concern import Reason
from bot.safety.rule import Rule, rule

_LOOKS = (
    r"(?:look(?:s|ed|ing)?|appear(?:s|ed|ing)?|seem(?:s|ed|ing)?|pass(?:es|ed|ing)?|sound(?:s|ed)?|resembl(?:e|es|ed"
    r"|ing)|taken|(?:take|takes|took|taking)_(?:her|him|them|me|you)|mistaken"
    r"|mistook|guess(?:ed|es)?|stuck|frozen|trapped|physically|biologically|mentally|estimated?|judged?|put_(?:her|him|them)"
    r"|(?:body|face|figure|build|frame|appearance|looks|mind|shape|form|features|size|height|skin|voice|innocence)_of"
    r"|'d_say|would_say)"
)
_VAGUE = (
    r"(?:(?:to|be|like|as|for|at|in|of|about|around|maybe|perhaps|barely|only|just|hardly|scarcely|not|no|a|an|the|old"
    r"|older|younger|than"
    r"|day|over|more|someone|somebody|something|anyone|body|age|all|roughly|she|he|they|it|was|is|were|her|him|them|that|must"
    r"|might|could|closer|near|nearer|still|exactly|approximately|girl|boy|child|mere|maximum|most)_){0,7}"
)
_BODY = (
    r"(?:body|bodies|figure|frame|face|build|features|form|physique|limbs|chest|hips|appearance|proportions|stature"
    r"|voice|hands|shape"
    r"|looks|size|creature|woman|girl|boy|man|thing|vampire|android|demon|being)"
)
_ABLE = (
    r"(?:drive|vote|drink|smoke|marry|wed|consent|work|shave|buy|sign|be_(?:out|here|in|served|alone|doing)|enlist|own"
    r"|enter|legally"
    r"|know_(?:about|what)|date|stay|watch|gamble|have_(?:a|an)_(?:lover|boyfriend|girlfriend|licen[cs]e))"
)

RULES: tuple[Rule, ...] = (
    rule(
        Reason.APPEARANCE,
        rf"\b(?:looks|appearance|appears|visual_age|visually):?_{_VAGUE}(?P<hit><age>)<end>",
        cues="looks appear visual",
    ),
    rule(
        Reason.APPEARANCE,
        rf"\b{_LOOKS}_{_VAGUE}(?P<hit><age>)(?:<end>|-year-old|_year_old)",
        r"\b(?:looks?|looked|looking|appears?|appeared)_(?:at|in|for|over)_(?:the_|a_)?<age>|\b(?:stuck|frozen|trapped"
        r"|passed|passes|pass)_(?:at|in|for|on)_<age>_(?:in|at|on|o)",
    ),
    rule(
        Reason.APPEARANCE,
        r"(?:\bno|\bnot|n't|\bhardly|\bscarcely)_(?:<w>_){0,4}(?:older_than|more_than|a_day_(?:over|past)"
        r"|a_day_older_than|past)_(?:<w>_){0,1}(?P<hit><age>)<end>"
        r"|\b(?:younger|less)_than_(?:<age>|18)<end>",
        cues="than past day",
    ),
    rule(
        Reason.APPEARANCE,
        rf"\b(?:child-?like|childish|pre-?_?pubescent|pubescent|immature|under-?_?developed|undeveloped|girlish|boyish"
        rf"|juvenile|infantile)_(?:<w>_){{0,1}}?{_BODY}\b"
        rf"|\b{_BODY}_(?:\w{{2,4}}_){{0,2}}(?:child-?like|prepubescent|undeveloped)\b",
        r"\b(?:girlish|boyish)_(?:<w>_)?(?:figure|face|voice|features|looks|hands|appearance|hips|form|frame|man|woman"
        r"|thing|way)|\bchild-?like_(?:wonder|joy|glee|delight|trust|faith|curiosity|way|voice|smile)"
        r"|\bimmature_(?:man|woman|voice|thing)|\bchildish_(?:man|woman|thing|voice|looks?)",
        cues="childlike child-like childish pubescent immature develop girlish boyish juvenile infantile",
    ),
    rule(
        Reason.APPEARANCE,
        r"\b(?:looks?|looked|looking|appears?|appeared|seems?|seemed|resembl\w{1,3}|shape_of|form_of|body_of|figure_of"
        r"|face_of|appearance_of|mind_of|guise_of|size_of)_"
        r"(?:to_be_|like_|as_if_she_were_|just_like_|almost_like_|very_much_like_)?(?:an?_|the_"
        r"|some_)?(?:<w>_){0,2}?(?:child|children|kid|little_girl|little_boy|young_girl|young_boy|small_girl"
        r"|school-?_?girl|school-?_?boy|toddler|teen(?:ager)?|minor|pre-?teen|adolescent|underage|girl_of_<age>)\b",
    ),
    rule(
        Reason.APPEARANCE,
        r"\b(?:way|far|much)_too_young\b|\btoo_young_to_(?:<w>_){0,2}?"
        + _ABLE
        + r"|(?:\bnot|n't|\bnever|\bhardly|\bbarely)_(?:<w>_){0,2}?old_enough_(?:yet_)?to\b"
        + r"|\b(?:until|till|when)_(?:she|he|they|you)(?:'s|'re|_is|_are)_old_enough\b"
        r"|\b(?:year|years|months)_too_young_(?:to|for)\b",
        r"\btoo_young_to_(?:die|retire|remember)|\bold_enough_to_(?:remember|retire|be_(?:her|his|your|my))",
        cues="young old",
    ),
    rule(
        Reason.APPEARANCE,
        r"(?:n't|\bnever|\bnot|\bstopped|\bceased)_(?:<w>_)?(?:aged?|age?ing|growing|grown|grow"
        r"|grew)_(?:<w>_){0,2}?(?:since|at|after|when|past|beyond)_(?:<w>_){0,3}?(?P<hit><age>)<end>"
        r"|\b(?:half-grown|not_(?:yet_|even_|fully_){1,2}grown)_(?:girl|boy|woman|man)\b|\b(?:she|he)(?:'s|_is"
        r"|_was)_still_growing\b|\baged-?_?up\b",
    ),
    rule(
        Reason.APPEARANCE,
        r"\b(?:baby|milk)_teeth\b|\btraining_bra\b|\b(?:booster|car)_seat\b|\bwears?_diapers?\b|\bin_diapers\b"
        r"|\bgrowth_spurt\b|\b(?:early|mid|middle|late|pre)-?_?teens\b"
        r"|\b(?:has|have|had)(?:n't|_not|_yet_to|_never)_(?:<w>_){0,2}(?:her_first_(?:period|blood|bleeding))\b"
        r"|\bof_(?:such_)?(?:a_)?tender_(?:age|years)\b"
        r"|\bage_of_consent\b|\b(?:girl|boy|woman|man|child)-(?:child)\b|\b(?:woman-?child|child-?_?(?:woman|bride"
        r"|wife|queen|king|soldier|star|actress|emperor|prostitute))s?\b",
        r"\bage_of_consent_is|\bman-child|\b(?:old|former)_child_star",
        cues="teeth bra seat diaper spurt teens period blood bleed tender consent child",
    ),
)
