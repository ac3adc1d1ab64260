"""The list of novels: title, author and the people in each (first the narrator, where the book says "I")."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Project Gutenberg, https://www.gutenberg.org (plain-text e-books, found by title)"
HELD_OUT = ("the-prisoner-of-zenda", "the-princess-and-the-goblin")


@dataclass(frozen=True)
class Person:
    """One person of a novel: every name they go by, and 'f' or 'm'."""

    names: tuple[str, ...]
    gender: str


@dataclass(frozen=True)
class Novel:
    """One public-domain novel; `told` marks a narrator who says "I", `single` marks single-quoted speech."""

    title: str
    author: str
    people: tuple[Person, ...]
    told: bool = False
    single: bool = False


def _people(text: str) -> tuple[Person, ...]:
    """Read "Name|Other m, Name f"."""
    entries = (part.strip().rsplit(" ", 1) for part in text.split(","))
    return tuple(Person(tuple(names.split("|")), gender) for names, gender in entries)


NOVELS: dict[str, Novel] = {
    "a-princess-of-mars": Novel(
        "A Princess of Mars",
        "Edgar Rice Burroughs",
        _people(
            "John Carter|Carter|John m, Dejah Thoris|Dejah f, Tars Tarkas|Tarkas m, Sola f, Tal Hajus m, "
            "Lorquas Ptomel m, Kantos Kan m, Sarkoja f, Than Kosis m, Sab Than m, Mors Kajak m, "
            "Tardos Mors m, Powell m, Zad m, Woola m"
        ),
        told=True,
    ),
    "anne-of-green-gables": Novel(
        "Anne of Green Gables",
        "L. M. Montgomery",
        _people(
            "Anne Shirley|Anne f, Marilla Cuthbert|Marilla f, Matthew Cuthbert|Matthew m, Diana Barry|Diana f, "
            "Rachel Lynde|Lynde|Rachel f, Gilbert Blythe|Gilbert m, Barry f, Jane Andrews|Jane f, "
            "Ruby Gillis|Ruby f, Josie Pye|Josie f, Stacy f, Josephine Barry|Josephine f, Allan f, "
            "Prissy Andrews|Prissy f, Minnie May f, Moody Spurgeon m, Charlie Sloane|Charlie m, Jerry m, "
            "Spencer f, Phillips m, Cordelia f, Katie f, Andrews m"
        ),
    ),
    "dracula": Novel(
        "Dracula",
        "Bram Stoker",
        _people(
            "Jonathan Harker|Jonathan|Harker m, Van Helsing m, Lucy Westenra|Lucy f, Mina Harker|Mina|Madam Mina f, "
            "Arthur Holmwood|Arthur|Godalming m, Quincey Morris|Quincey|Morris m, "
            "John Seward|Seward|Jack|John m, Dracula m, Renfield m, Westenra f, Hawkins m, Hennessey m, Swales m"
        ),
        told=True,
    ),
    "frankenstein": Novel(
        "Frankenstein",
        "Mary Shelley",
        _people(
            "Victor Frankenstein|Victor|Frankenstein m, Elizabeth Lavenza|Elizabeth f, Henry Clerval|Clerval|Henry m, "
            "Justine Moritz|Justine f, Felix m, Safie f, Agatha f, William m, Ernest m, De Lacey m, Walton m, "
            "Margaret f, Kirwin m, Waldman m, Krempe m, Beaufort m, Caroline f"
        ),
        told=True,
    ),
    "great-expectations": Novel(
        "Great Expectations",
        "Charles Dickens",
        _people(
            "Pip|Handel|Philip Pirrip m, Joe Gargery|Joe|Joseph m, Havisham f, Herbert Pocket|Herbert m, Estella f, "
            "Jaggers m, John Wemmick|Wemmick m, Biddy f, Pumblechook m, Bentley Drummle|Drummle m, "
            "Provis|Magwitch|Abel Magwitch m, Orlick m, Compeyson m, Skiffins f, Startop m, Trabb m, "
            "Wopsle m, Matthew Pocket|Matthew m, Sarah Pocket|Sarah f, Clara f, Camilla f, Flopson f, "
            "Hubble m, Molly f, Georgiana f"
        ),
        told=True,
    ),
    "jane-eyre": Novel(
        "Jane Eyre",
        "Charlotte Bronte",
        _people(
            "Jane Eyre|Jane|Eyre|Janet f, Rochester|Edward Rochester|Edward m, Adele f, Bessie f, Fairfax f, "
            "Blanche Ingram|Ingram|Blanche f, Mary f, Temple f, John Reed m, Helen Burns|Helen|Burns f, "
            "Diana f, St. John|St. John Rivers m, Reed f, Mason m, Georgiana f, Eliza f, Hannah f, "
            "Grace Poole|Grace|Poole f, Brocklehurst m, Scatcherd f, Rosamond Oliver|Rosamond f, Oliver m, "
            "Abbot f, Sophie f, Leah f, Lloyd m, Miller f, Briggs m, Rivers f, John m"
        ),
        told=True,
    ),
    "kidnapped": Novel(
        "Kidnapped",
        "Robert Louis Stevenson",
        _people(
            "David Balfour|David|Davie|Balfour m, Alan Breck Stewart|Alan Breck|Alan m, Ebenezer m, Hoseason m, "
            "James Stewart|James m, Cluny m, Colin Campbell|Colin m, Ransome m, Shuan m, Riach m, "
            "Robin Oig|Robin m, Rankeillor m, Campbell m, Duncan Dhu|Duncan m, Torrance m, Henderland m"
        ),
        told=True,
    ),
    "king-solomon-s-mines": Novel(
        "King Solomon's Mines",
        "H. Rider Haggard",
        _people(
            "Allan Quatermain|Quatermain|Macumazahn|Allan m, Henry Curtis|Henry|Curtis|Incubu m, "
            "Bougwan m, Twala m, Ignosi|Umbopa m, Infadoos m, Gagool f, Foulata f, Scragga m, "
            "Jim m, Silvestra m, Ventvogel m, Khiva m, Neville m, George m, Evans m"
        ),
        told=True,
    ),
    "little-women": Novel(
        "Little Women",
        "Louisa May Alcott",
        _people(
            "Jo|Josephine f, Meg|Margaret f, Amy f, Beth|Bethy f, Laurie|Teddy|Theodore m, March f, "
            "John Brooke|John|Brooke m, Hannah f, Bhaer|Fritz m, Fred Vaughn|Fred m, Laurence m, Demi m, "
            "Marmee f, Sallie Gardiner|Sallie f, Kate f, Moffat f, Daisy f, Ned m, Belle f, Frank m, Flo f, "
            "Annie f, Carrol f, Grace f, Kirke f, Davis m, Esther f"
        ),
    ),
    "peter-pan": Novel(
        "Peter Pan",
        "J. M. Barrie",
        _people(
            "Peter Pan|Peter|Pan m, Wendy f, Hook|James Hook m, John m, Michael m, Darling f, Nana f, "
            "Tinker Bell|Tink f, Smee m, Slightly m, Tootles m, Nibs m, Starkey m, Jane f, Curly m, "
            "Tiger Lily f, Liza f, Jukes m, Cecco m"
        ),
    ),
    "pride-and-prejudice": Novel(
        "Pride and Prejudice",
        "Jane Austen",
        _people(
            "Elizabeth Bennet|Elizabeth|Lizzy|Eliza f, Fitzwilliam Darcy|Darcy m, Jane Bennet|Jane f, "
            "Charles Bingley|Bingley|Charles m, Lydia f, Collins m, Wickham m, Catherine de Bourgh|Catherine f, "
            "Bennet f, Charlotte Lucas|Charlotte f, Lucas f, Kitty f, Fitzwilliam m, Gardiner f, "
            "Caroline Bingley|Caroline f, Hurst f, Mary f, Georgiana f, Phillips f, Forster m, William m, "
            "Maria f, Denny m, Reynolds f"
        ),
    ),
    "the-adventures-of-sherlock-holmes": Novel(
        "The Adventures of Sherlock Holmes",
        "Arthur Conan Doyle",
        _people(
            "John Watson|Watson m, Sherlock Holmes|Holmes|Sherlock m, Lestrade m, Violet Hunter|Hunter f, "
            "Helen Stoner|Stoner f, Hosmer Angel|Angel m, Openshaw m, Irene Adler|Irene|Adler f, Turner m, "
            "Neville St. Clair|St. Clair m, Mary Sutherland|Sutherland f, Jabez Wilson|Wilson m, "
            "McCarthy|James McCarthy m, Grimesby Roylott|Roylott m, Hatherley m, Lysander Stark|Stark m, "
            "Arthur Holder|Arthur m, Holder m, Mary f, Rucastle m, Toller m, Simon|St. Simon m, Frank m, "
            "Hatty f, Merryweather m, Jones m, Windibank m, Horner m, Breckinridge m, Ryder m, Peterson m, "
            "Moran m, George Burnwell|Burnwell m, Spaulding|Vincent Spaulding m, Alice f, Toller f"
        ),
        told=True,
    ),
    "the-hound-of-the-baskervilles": Novel(
        "The Hound of the Baskervilles",
        "Arthur Conan Doyle",
        _people(
            "John Watson|Watson m, Henry Baskerville|Henry m, Sherlock Holmes|Holmes|Sherlock m, "
            "Charles Baskerville|Charles m, Stapleton|Jack Stapleton m, Barrymore m, James Mortimer|Mortimer m, "
            "Laura Lyons|Lyons f, Frankland m, Selden m, Hugo Baskerville|Hugo m, Lestrade m, Cartwright m, "
            "Baskerville m, Beryl f, Perkins m"
        ),
        told=True,
    ),
    "the-picture-of-dorian-gray": Novel(
        "The Picture of Dorian Gray",
        "Oscar Wilde",
        _people(
            "Dorian Gray|Dorian|Gray m, Henry Wotton|Henry|Harry m, Basil Hallward|Basil|Hallward m, "
            "Sibyl Vane|Sibyl f, Alan Campbell|Alan|Campbell m, James Vane|James|Jim m, Vane f, "
            "Narborough f, Agatha f, Geoffrey m, Gladys f, Monmouth f, Isaacs m, Adrian Singleton|Adrian m, "
            "Fermor m, Erskine m, Victoria f, Victor m, Leaf f, Francis m, Hubbard m"
        ),
    ),
    "the-princess-and-the-goblin": Novel(
        "The Princess and the Goblin",
        "George MacDonald",
        _people("Curdie m, Irene f, Lootie f, Peter m, Harelip m, Walter m, Helfer m, Glump m, Peterson f"),
        single=True,
    ),
    "the-prisoner-of-zenda": Novel(
        "The Prisoner of Zenda",
        "Anthony Hope",
        _people(
            "Rudolf Rassendyll|Rassendyll|Rudolf m, Sapt m, Michael m, Fritz von Tarlenheim|Fritz|Tarlenheim m, "
            "Rupert Hentzau|Rupert|Hentzau m, Flavia f, Johann m, Antoinette de Mauban|Antoinette|Mauban f, "
            "Detchard m, De Gautet|Gautet m, Josef m, Bersonin m, Strakencz m, Robert m, Rose f, Bertram m, "
            "George m, Lauengram m, Krafstein m, Helga f"
        ),
        told=True,
    ),
    "the-railway-children": Novel(
        "The Railway Children",
        "E. Nesbit",
        _people(
            "Peter|Pete m, Bobbie|Roberta f, Phyllis|Phil f, Mother|Mammy f, Father|Daddy m, Perks m, Jim m, "
            "Ruth f, Bill m, Emma f, Viney f, Forrest m"
        ),
    ),
    "the-scarlet-pimpernel": Novel(
        "The Scarlet Pimpernel",
        "Baroness Orczy",
        _people(
            "Marguerite Blakeney|Marguerite|Margot f, Chauvelin m, Percy Blakeney|Percy|Blakeney m, "
            "Andrew Ffoulkes|Andrew|Ffoulkes m, Armand St. Just|Armand|St. Just m, Suzanne f, Desgas m, "
            "Antony Dewhurst|Antony|Tony|Dewhurst m, Sally f, Brogard m, Jellyband m, Bibot m, Grenville m, "
            "Tournay f, Hempseed m, Fancourt m, Louise f, Harry Waite|Waite m, Briggs m, Citoyen m"
        ),
    ),
    "the-secret-garden": Novel(
        "The Secret Garden",
        "Frances Hodgson Burnett",
        _people(
            "Mary Lennox|Mary f, Colin Craven|Colin m, Dickon m, Martha f, Ben Weatherstaff|Weatherstaff|Ben m, "
            "Medlock f, Susan Sowerby|Sowerby|Susan f, Archibald Craven|Craven|Archibald m, Roach m, "
            "Pitcher m, Basil m, Lilias f"
        ),
    ),
    "the-three-musketeers": Novel(
        "The Three Musketeers",
        "Alexandre Dumas",
        _people(
            "d'Artagnan|D'Artagnan m, Athos m, Milady|Milady Clarik f, Porthos m, Aramis m, "
            "de Treville|Treville m, Felton m, de Winter m, Planchet m, Buckingham m, "
            "Bonacieux|Constance Bonacieux|Constance f, Kitty f, Grimaud m, de Wardes m, Bazin m, Mousqueton m, "
            "Rochefort m, Richelieu m, de Chevreuse f, Anne f, Coquenard f, Patrick m, Laporte|La Porte m, "
            "Bernajoux m, Jussac m, Cahusac m, de la Tremouille m, Louis m, Seguier m, Brisemont m"
        ),
    ),
    "the-wind-in-the-willows": Novel(
        "The Wind in the Willows",
        "Kenneth Grahame",
        _people("Mole|Moly m, Rat|Ratty m, Toad|Toady m, Badger m, Otter m, Portly m, Billy m"),
        single=True,
    ),
    "the-wonderful-wizard-of-oz": Novel(
        "The Wonderful Wizard of Oz",
        "L. Frank Baum",
        _people(
            "Dorothy f, Scarecrow m, Tin Woodman|Woodman m, Cowardly Lion|Lion m, Wicked Witch|Witch f, "
            "Wizard|Oz m, Glinda f, Aunt Em|Em f, Henry m, Boq m"
        ),
    ),
    "treasure-island": Novel(
        "Treasure Island",
        "Robert Louis Stevenson",
        _people(
            "Jim Hawkins|Jim|Hawkins m, John Silver|Long John|Silver m, Flint m, Ben Gunn|Gunn m, Smollett m, "
            "Trelawney m, Livesey m, Morgan m, Abraham Gray|Gray m, George Merry m, Redruth m, Pew m, "
            "Dick m, Joyce m, Israel Hands|Israel m, Job Anderson|Anderson m, Bill|Billy Bones m, Tom m, "
            "Black Dog m, Hunter m, Ben m"
        ),
        told=True,
    ),
    "wuthering-heights": Novel(
        "Wuthering Heights",
        "Emily Bronte",
        _people(
            "Ellen Dean|Ellen|Nelly|Dean f, Heathcliff m, Catherine Earnshaw|Catherine|Cathy f, "
            "Edgar Linton|Edgar|Linton m, Hareton m, Joseph m, Isabella f, Hindley|Earnshaw m, Zillah f, "
            "Kenneth m, Frances f, Lockwood m, Jabez m"
        ),
        told=True,
        single=True,
    ),
}
