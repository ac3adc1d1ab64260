"""Draws the made-up head of a sample: two names, two personas and a scenario, in the exact LimaRP wording."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


WOMEN = _words(
    "Mira Elena Rosalind Sable Wren Isolde Tamsin Odette Freya Lyra Maud Juniper Ada Hester Nell Ines Vesna Corin Thea "
    "Brielle Alma Beatrix Celia Dinah Edith Flora Greta Harriet Imogen Judith Keziah Leonie Mabel Nora Olive Phoebe "
    "Quinn Rhea Selma Tilda Ursula Vera Willa Xenia Yvette Zelda Agnes Bridget Cora Delia Elsie Fern Gwen Hazel Iris "
    "Jocelyn Kira Lena Marta Nadia Opal Petra Rowena Sylvie Tessa Una Viola Winifred Yara Zora Astrid Blythe Clover "
    "Dora Esme Faye Ginevra Hilda Ivy Lucinda Morgana Alice Emma Sara Luna Aria Seraphina "
    "Eleanor Anna Catherine Elizabeth Mary Charlotte Amelia Margaret Rose Lily Grace Hannah Julia Laura Lucy Martha Rebecca "
    "Ruth Susan Victoria Jane Sophie Claire Helen"
)
MEN = _words(
    "Aldric Corvin Tobias Lucan Emrys Hal Joren Silas Rafe Dorian Kestrel Bram Ansel Osric Leif Marek Theo Garrick "
    "Edmund Piers Abel Basil Caspian Dunstan Elias Felix Gideon Hugo Ivo Jasper Kit Lionel Miles Ned Orlando Percival "
    "Quentin Roland Stellan Tristan Ulric Victor Walden Xavier Yorick Zane Alaric Benedict Cedric Darius Ewan Fergus "
    "Gareth Harlan Isaac Julian Kasper Lorenz Magnus Niall Oswin Philip Ronan Sebastian Tarquin Uriel Vincent Wilfred "
    "Anton Bastian Conrad Dmitri Emil Florian Gunnar Henrik Ignatius Joachim Konrad Ludo Max Sam Alex Ben Daniel Leo "
    "Thomas John William James Henry George Charles Robert Edward Arthur Peter Paul David Michael Andrew Simon Martin Mark "
    "Stephen Richard Francis Hugh Oliver Jack Harry Adam Nathan Owen"
)
WITH_HABIT = 0.35
INVENTED = 0.5  # share of names put together from syllables, so that names are copied from the head and not known by heart

_ONSETS = _words("B Br C Ch D Dr El F Fr G Gr H J K L M N P R S Sh T Th Tr V W Z Al Er Or Is Am")
_MIDDLES = _words("a e i o u a e i o ara eli ori ala end and ill ell est ast ev iv or an in em ol ick onn err")
_ENDINGS = {
    "f": _words("a ia ie ette wen is ra na la eth elle ine ya"),
    "m": _words("n r s on ard ric o us rick ton den mund as or"),
}

_TRAITS = _words(
    "quick-tempered loyal weary clever proud gentle reckless patient secretive warm stubborn curious melancholy brave "
    "sly courteous blunt dreamy careful merry shy solemn generous lonely practical vain honest restless"
)
_TRADES = _lines(
    "innkeeper|ship's captain|hedge witch|ranger|scholar|thief|knight|apothecary|smith|courier|cartographer|bard|"
    "physician|gamekeeper|lamplighter|merchant|soldier|gardener|librarian|ferryman|detective|governess|miller|"
    "musician|traveller|clockmaker|student|sailor|teacher|painter"
)
_HABITS = _lines(
    "{n} speaks softly and seldom.|{n} laughs easily.|{n} has not slept well for a week.|{n} trusts nobody at first.|"
    "{n} hides a secret.|{n} keeps every promise.|{n} has travelled far.|{n} talks too much when nervous.|"
    "{n} loves old stories.|{n} is afraid of the dark.|{n} has grey eyes and a tired smile.|{n} wears a long green coat.|"
    "{n} never forgets a face.|{n} grew up by the sea."
)
_PLACES = _lines(
    "a rain-soaked inn at the edge of the moor|the deck of a becalmed ship|a snowbound mountain pass|"
    "the library of a half-ruined abbey|a crowded market at dusk|an old house above the sea|a forest road at night|"
    "the kitchens of a great castle|a railway carriage in the fog|a walled garden in late summer|a drawing-room in town|"
    "a quiet village street|a lonely farmhouse|the cabin of a small boat|a moonlit churchyard|a schoolroom"
)
_PLOTS = _lines(
    "they meet by chance and one of them is hiding something|an old promise must be kept before morning|"
    "a letter has arrived that changes everything|they must decide whether to trust each other|"
    "a stranger has asked for shelter|they are looking for someone who vanished|a quarrel from years ago is not over|"
    "the storm has cut them off from everyone else|they are old friends with much to tell|they plan a long journey|"
    "one of them asks for help|they wait for news"
)


@dataclass(frozen=True)
class Pair:
    """The two people of one sample."""

    char: str
    user: str


def draw_pair(rng: Random, char: str, user: str) -> Pair:
    """Draw two different names of the given genders."""
    name = _draw_name(rng, char)
    other = name
    while other == name:
        other = _draw_name(rng, user)
    return Pair(name, other)


def _draw_name(rng: Random, gender: str) -> str:
    """A name from the lists or an invented one."""
    if rng.random() < INVENTED:
        return rng.choice(_ONSETS) + rng.choice(_MIDDLES) + rng.choice(_ENDINGS[gender])
    return rng.choice(WOMEN if gender == "f" else MEN)


def _persona(rng: Random, name: str) -> str:
    """A line or two about one person."""
    traits = rng.sample(_TRAITS, rng.choice((1, 2, 2)))
    article = "an" if traits[0][0] in "aeiou" or traits[0] == "honest" else "a"
    habit = rng.choice(_HABITS).format(n=name) if rng.random() < WITH_HABIT else ""
    return f"{name} is {article} {', '.join(traits)} {rng.choice(_TRADES)}. {habit}".strip()


def draw_head(rng: Random, pair: Pair) -> str:
    """Everything of a prompt before its first turn."""
    scenario = f"In {rng.choice(_PLACES)}, {rng.choice(_PLOTS)}."
    return head(pair, _persona(rng, pair.char), _persona(rng, pair.user), scenario)


def head(pair: Pair, char_persona: str, user_persona: str, scenario: str) -> str:
    """The LimaRP head, word for word."""
    return (
        f"### Instruction:\n{pair.char}'s Persona: {char_persona}\n\n{pair.user}'s Persona: {user_persona}\n\n"
        f"Scenario: {scenario}\n\nPlay the role of {pair.char}. You must engage in a roleplaying chat with {pair.user} "
        f"below this line. Do not write dialogues and narration for {pair.user}.\n\n"
    )
