"""The most that is taken of a file from outside, each number with its reason. It reads nothing."""

MIB = 1 << 20

FILE_BYTES = 24 * MIB
"""A whole file. Large pictures of cards have some 10 MiB; what is read is held in memory twice."""

FACE_BYTES = 16 * MIB
"""A character's picture. Places that show it take 8 to 10 MiB at most; the rest is room for a picture to be made smaller."""

FACE_PIXELS = 50_000_000
"""Width times height of a picture: four bytes each in whatever shows it, so at most 200 MB there. Cards have 1 to 8 million."""

PNG_CHUNKS = 50_000
"""Parts of a PNG file. Encoders write 4 to 64 KiB of picture into each: at the least, the largest file has 6,000."""

JSON_BYTES = 4 * MIB
"""A card's or a lorebook's JSON. A book of 1,000 entries has about 2 MiB."""

JSON_VALUES = 400_000
"""Strings and marks of structure in a JSON text: each becomes up to a hundred bytes in memory. A book of 5,000 entries with
twenty fields each has 400,000."""

JSON_DEPTH = 64
"""Arrays and objects within each other. Cards have 6 to 12; Python's own parser fails at about a thousand."""

ZIP_MEMBERS = 2_000
"""Files in a CHARX file. The largest characters with pictures for every mood have a few hundred."""

ZIP_DIRECTORY_BYTES = MIB
"""The list of a CHARX file's members: 500 bytes for each of the most members."""

ZIP_TOTAL_BYTES = 128 * MIB
"""All members of a CHARX file unpacked, as it says itself. Pictures do not shrink, so this is far above what is honest."""

ZIP_RATIO = 200
"""How much larger a member may become. JSON in plain words becomes 3 to 20 times as large, a bomb a thousand times."""

ZIP_RATIO_FROM = MIB
"""Smaller members are not held to the ratio: a short text of spaces is no bomb."""

RAW_NAME_LENGTH = 1_000
"""Code points of a name before it is shortened to what the story can show."""

TEXT_LENGTH = 100_000
"""Code points of one field of a card. A context of 32,000 tokens holds about as much, and nothing else beside it."""

GREETINGS = 200
"""Further greetings of a card. The most seen are some dozens."""

BOOK_ENTRIES = 5_000
"""Entries of a lorebook. All their keys are looked for in every turn; the largest books that are played have about 1,000."""

ENTRY_KEYS = 500
"""Keys of an entry, of either kind."""

BOOK_KEYS = 50_000
"""Keys of all entries together, of both kinds: ten for each of the most entries."""

KEY_LENGTH = 1_000
"""Code points of one key. Longer ones are texts in the wrong field."""

LARGEST_NUMBER = 1_000_000_000
"""Orders, priorities, depths and budgets stay within this, so that every store and program can hold them."""
