"""Short scenes of our own for measuring a model's replies, for any audience: who is in them, and what the players post."""

from dataclasses import dataclass

from bot.ids import AuthorId, ChannelKey, Place, Platform, SessionId
from bot.story.card import CharacterCard
from bot.story.persona import Persona
from bot.story.policy import Rating
from bot.story.session import Session


@dataclass(frozen=True, slots=True)
class Scene:
    """A story that has not begun, and its rounds: what the players post, by the numbers of their personas, before a reply."""

    name: str
    session: Session
    rounds: tuple[tuple[tuple[int, str], ...], ...]


def _scene(
    name: str,
    character: tuple[str, str, str],
    scenario: str,
    players: tuple[tuple[str, str], ...],
    rounds: tuple[tuple[tuple[int, str], ...], ...],
) -> Scene:
    session = Session(
        id=SessionId(name),
        place=Place(Platform("bench"), ChannelKey(name)),
        character=CharacterCard(*character, Rating.GENERAL),
        scenario=scenario,
        personas=tuple(Persona(AuthorId(who), who, what) for who, what in players),
        rating=Rating.GENERAL,
    )
    return Scene(name, session, rounds)


def _alone(*posts: str) -> tuple[tuple[tuple[int, str], ...], ...]:
    return tuple(((0, post),) for post in posts)


PAIRS = (
    _scene(
        "ferry",
        (
            "Odile",
            "Odile runs the last chain ferry on the river. She is sixty, dry, patient, and knows everyone's business.",
            'The bell on the jetty rang twice. Odile put down her cup. "If you want to cross, you help with the chain."',
        ),
        "A ferry house on a wide river, an hour before dark, with rain coming up the valley.",
        (("Bram", "Bram is a travelling clock mender with a cart, a lame horse and a letter that he has not opened."),),
        _alone(
            '"I\'ll help with anything, if my cart can come too," Bram said. He looked at the sky. "How deep is it here?"',
            "He took hold of the chain. It was colder than he had thought, and it would not move.",
            '"You know the house with the blue door, on the other side?" He kept his voice light. "Somebody there wrote to me.'
            " It came in spring, and I have carried it since. I thought that I'd sooner read it with the door in front of"
            ' me. Foolish, I suppose."',
            '"Then tell me what you know."',
        ),
    ),
    _scene(
        "archive",
        (
            "Sef",
            "Sef keeps the city's map archive: young, exact, easily delighted, and afraid of the basement.",
            "Sef looked over the ladder's top rung. \"We are closed. Unless you've brought back the harbour survey.\"",
        ),
        "The map archive of an old port, after hours. One map shows a street that nobody can find.",
        (("Ilse", "Ilse is a surveyor with muddy boots who trusts her own measurements more than any map."),),
        _alone(
            '"Better," said Ilse, and unrolled a drawing on the desk. "I\'ve walked it. Forty paces. It isn\'t on yours."',
            '"Show me the oldest one you have."',
            "She held the lamp closer. The ink was brown, the paper soft as cloth, and there it was: a thin line between the"
            ' rope walk and the church, with a name beside it that somebody had scratched away with a knife. "Somebody went to'
            ' some trouble," she said. "Where would the plates for this one be?"',
            '"I am not afraid of a cellar. Are you?"',
        ),
    ),
    _scene(
        "orchard",
        (
            "Teodor",
            "Teodor is the gardener of a walled orchard: slow to speak, stubborn, fond of old apple names and of his dog.",
            'Teodor did not turn round. "Gate was locked," he said. The dog wagged its tail all the same.',
        ),
        "A walled orchard at the end of summer. The owner has sold it, and the men with saws come on Monday.",
        (("Wren", "Wren, twenty-six, is the owner's niece and has come to see the trees before they go."),),
        _alone(
            'Wren held up the key. "My uncle\'s. I came to see them before Monday." She bent down to the dog.',
            '"Which is the oldest?"',
            '"And if it could be moved? Not all of them. One. I have a garden, it is small, it has a wall on the south side'
            ' and bad soil, and I know nothing about trees. But I could learn it, if somebody told me how."',
            "She fetched the second spade from the shed and waited to be told where to dig.",
        ),
    ),
    _scene(
        "night-train",
        (
            "Mrs Calloway",
            "Mrs Calloway, a retired judge, travels by night train with a chess set and a sharp tongue.",
            '"That seat is taken," said Mrs Calloway, "by my bishop. You may have the other, if you play."',
        ),
        "A compartment of a night train that has stopped in snow, far from any station.",
        (("Anselm", "Anselm is a young baker on his way to a competition, with a sourdough starter in a jar on his knees."),),
        _alone(
            '"I play badly," said Anselm, and sat down with the jar between his hands.',
            '"White or black?"',
            "The light went out and came back weaker. Somewhere along the corridor a door slid open, and a voice asked whether"
            ' anybody had seen the conductor. Nobody answered it. Anselm moved his knight without looking at the board. "It'
            ' has been an hour," he said. "Should one of us go and see?"',
            '"I will go. Keep the jar warm."',
        ),
    ),
    _scene(
        "signal-tower",
        (
            "Ruk",
            "Ruk is a signaller of the mountain towers: cheerful, homesick, full of gossip from forty miles of lamps.",
            'Ruk was counting flashes with a finger in the air. "Wait," he said. "Wait. Ah! They have a new goat."',
        ),
        "A signal tower on a pass, where messages are sent by lamp. Tonight the northern tower answers nothing.",
        (("Sergeant Mayhew", "Sergeant Mayhew is a weary, fair-minded officer who walked up with bread and bad news."),),
        _alone(
            '"Put the goat in the log," said Sergeant Mayhew. "And then tell me when the north last spoke."',
            '"Try them again. Slowly."',
            "He set the bread on the sill and rubbed the glass with his sleeve. There was the valley with its lamps, one behind"
            " the other, like beads that somebody had let fall. And there, where the last one should have been, was nothing at"
            ' all. "How long would it take you to walk there?" he asked.',
            '"Then we leave at first light, both of us."',
        ),
    ),
    _scene(
        "tide-pool",
        (
            "Nerys",
            "Nerys studies sea snails on a small island: absent-minded, kind, and a little deaf from the surf.",
            '"Mind the blue ones!" Nerys called over the noise of the water. "The blue ones are all named."',
        ),
        "A rocky shore at low tide, the morning after a storm that has washed up something with a brass lid.",
        (("Cato", "Cato is the island's new postman, curious and badly dressed for weather."),),
        _alone(
            'Cato stood on one leg among the pools. "I have a parcel! It\'s wet! I am sorry!"',
            '"What is that, behind you?"',
            "He forgot the parcel. The thing lay on its side in the weed, as long as a boat and green with age, and the lid at"
            ' its end had a wheel on it like the wheel of a safe. "That was not here yesterday," he said. "I came by at noon.'
            ' I would have seen it. Would you hold my bag?"',
            "He put both hands to the wheel and looked back at her.",
        ),
    ),
)
"""One player and one character each: for lengths, ends, and how often the model speaks for the player."""

PARTIES = (
    _scene(
        "bridge-inn",
        (
            "Hesper",
            "Hesper keeps the inn on the bridge: quick, motherly, never writes anything down.",
            'Hesper counted three hats and one wet cat. "One table left," she said, "and it wobbles."',
        ),
        "An inn built on a bridge, on the night of the lantern fair. Somebody has stolen the fair's great lantern.",
        (
            ("Joss", "Joss is a loud young glassblower who made the lantern."),
            ("Pell", "Pell is a careful clerk who paid for it."),
            ("Ada", "Ada is a puppeteer who saw something and has not said so yet."),
        ),
        (
            (
                (0, '"Forty panes!" said Joss. "Forty! And I burned my thumb on each of them."'),
                (1, 'Pell laid a receipt on the table, square to its edge. "It was insured. That isn\'t the point."'),
                (2, "Ada fed the cat under the table and said nothing."),
            ),
            (
                (1, '"Who was on the bridge at nine?"'),
                (0, '"Ask her." Joss nodded at Hesper. "She sees them all come in."'),
            ),
            (
                (2, '"It was a cart," Ada said at last. "With no horse. I thought that I had dreamt it, so I did not say."'),
                (0, "Joss stood up so fast that the table wobbled."),
                (1, '"Which way did it go?" asked Pell.'),
            ),
        ),
    ),
    _scene(
        "expedition",
        (
            "Captain Rook",
            "Captain Rook flies the old airship Plover: gruff, superstitious, loyal to whoever has shared a meal with her.",
            '"Ballast, bread, and no whistling," said Captain Rook. "Those are the rules. Who is whistling?"',
        ),
        "The gondola of a small airship above the clouds, with a mountain ahead that is on no chart.",
        (
            ("Linus", "Linus draws charts and worries."),
            ("Oona", "Oona repairs engines and never worries."),
            ("Father Emmerich", "Father Emmerich is a monk who collects the names of winds."),
        ),
        (
            ((0, '"That should not be there," said Linus. He turned the chart round, and back.'), (1, '"Well, it is."')),
            (
                (2, '"There is a wind at such places," said Father Emmerich, "which is called the Widow. It blows down."'),
                (1, "Oona opened the hatch and looked at the engine as one looks at a child that is too quiet."),
                (0, '"How far down?"'),
            ),
            (
                (1, '"Left motor\'s going. I can give you ten minutes, Captain, if you do not ask how."'),
                (2, "Father Emmerich had begun to write."),
            ),
        ),
    ),
    _scene(
        "school-play",
        (
            "Mr Abernathy",
            "Mr Abernathy, a stage manager near his pension, has opened four hundred curtains and trusts none of them.",
            '"Seven minutes," said Mr Abernathy to the dark. "Who has the dragon\'s other half?"',
        ),
        "Behind the stage of a small town's theatre, seven minutes before the first night of a play about a dragon.",
        (
            ("Ines", "Ines, a retired dentist, plays the dragon's front."),
            ("Tom", "Tom drives the bus and plays the dragon's back."),
            ("Marguerite", "Marguerite wrote the play and regrets the dragon."),
        ),
        (
            (
                (0, '"I have the teeth," said Ines. "I do not have Tom."'),
                (1, 'Tom came in with his bus keys in his hand. "There was a cow on the road."'),
                (2, '"We could cut the dragon," said Marguerite.'),
            ),
            (
                (1, "Tom held up the tail, or what was left of it. The cow had been thorough."),
                (2, 'Marguerite sat down on the throne. "We are cutting the dragon."'),
            ),
            (
                (0, '"Has anybody a green umbrella?"'),
                (1, '"The vicar has, third row."'),
                (2, '"You cannot make a tail of the vicar\'s umbrella," said Marguerite, and got up to fetch it.'),
            ),
        ),
    ),
)
"""Three players and one character each: for the ways in which several personas can be named."""
