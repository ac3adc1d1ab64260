"""Words that people disguise, and things that have an age without being persons. It knows no rule."""

DISGUISED = frozenset(
    [
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "teen",
        "teens",
        "teenage",
        "teenager",
        "teenagers",
        "preteen",
        "preteens",
        "tween",
        "tweens",
        "child",
        "children",
        "childlike",
        "kid",
        "kids",
        "kiddo",
        "kiddie",
        "toddler",
        "toddlers",
        "infant",
        "baby",
        "loli",
        "lolis",
        "lolita",
        "lolicon",
        "shota",
        "shotas",
        "shotacon",
        "minor",
        "minors",
        "underage",
        "underaged",
        "schoolgirl",
        "schoolgirls",
        "schoolboy",
        "schoolboys",
        "jailbait",
        "preschooler",
        "prepubescent",
        "adolescent",
        "youngster",
        "ageplay",
        "girl",
        "girls",
        "boy",
        "boys",
    ]
)
"""Read in spite of figures and signs in place of letters ("t33n")."""

SPELLED = frozenset(DISGUISED - {"ten", "nine", "girl", "girls", "boy", "boys", "baby", "kid", "kids", "minor", "minors"})
"""Nobody spells these letter by letter, or breaks them with dots, without a reason."""

THINGS = (
    "whisk(?:e)?y scotch bourbon brandy cognac rum gin port wine claret vintage bottle cask barrel ale cheese cheddar balsamic"
    " car truck van bike bicycle motorbike motorcycle boat ship vessel yacht sloop frigate schooner plane engine machine"
    " computer laptop phone house home building tower castle church chapel temple bridge wall roof cottage"
    " cabin inn tavern shop"
    " store school academy hotel hospital museum city town village kingdom empire republic state nation country colony company"
    " firm business brand newspaper magazine book novel story song album film movie show series game play poem painting picture"
    " photo photograph portrait letter diary journal map document contract treaty law decree statute agreement alliance truce"
    " pact war feud grudge quarrel rivalry friendship marriage partnership relationship mystery case crime murder secret debt"
    " loan bet joke tradition custom ritual rule record prophecy curse rumou?r bruise scar wound injury habit lease building"
    " house tree oak elm pine rose garden orchard vineyard forest hedge"
    " dog hound cat tomcat horse mare stallion gelding pony mule donkey cow bull ox goat sheep ewe ram pig"
    " boar parrot raven crow"
    " hawk falcon owl tortoise turtle snake wolf bear lion tiger elephant fish carp"
    " coat cloak jacket dress shirt boots? shoes? sword blade rifle pistol gun clock watch piano violin"
    " guitar sofa couch carpet"
    " rug mattress furniture technology software program code system project programme account"
).replace(" ", "|")
"""Nouns, as alternatives of a pattern, that may be ten years old in any session."""

TALLIES = (
    "class it there that this which what these those score answer number total sum count price cost bill fee"
    " fare rent limit time"
    " temperature page chapter room level result roll throw bid odds distance depth height width weight"
    " length size volume speed"
    " dose ratio rate bet stake wager tally toll budget maximum minimum rest difference average hour code password combination"
    " value bonus modifier ac hp dc damage strength dexterity constitution intelligence wisdom charisma initiative reward quota"
    " capacity crew party group band team jury garrison company supper dinner breakfast lunch verse line lines floor track"
    " platform gate episode season version volume act scene date clock watch meter needle dial reading wind pulse"
).replace(" ", "|")
"""What is a number without having an age."""

INTIMATE = (
    r"kiss\w{0,4}|naked|nude|undress\w{0,4}|strips|stripped|lovers?|sex\w{0,6}|virgin\w{0,4}|seduc\w{1,6}|arous\w{1,4}"
    r"|lust\w{0,4}"
    r"|desire[sd]?|breasts?|thighs?|moan\w{0,3}|erotic\w{0,4}|caress\w{0,3}|fondl\w{1,3}|slept_with|sleep_with|made_love"
    r"|flashback|relive[sd]?|reliving|bedded|intima\w{2,6}"
)
"""Near any of these, a memory of a young age is no excuse."""
