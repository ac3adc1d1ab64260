"""The models that have a name of their own here, as data. It asks nobody."""

from dataclasses import dataclass

from adapters.hub.remote import Address

AUTHOR = "lemonilia/AshhLimaRP-Mistral-7B"
"""The author's own repository: its model card names the settings and the prompt format that Understudy begins with."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model file by a short name. `gigabytes` is about what it takes: the hub's own number counts when it is fetched."""

    name: str
    address: Address
    gigabytes: float
    remark: str


KNOWN = (
    KnownModel(
        "ashhlimarp-q4_k_m",
        Address(AUTHOR, "AshhLimaRP-Mistral-7B.Q4_K_M.gguf"),
        4.4,
        "the usual choice: 4.8 bits per weight",
    ),
    KnownModel(
        "ashhlimarp-q6_k",
        Address(AUTHOR, "AshhLimaRP-Mistral-7B.Q6_K.gguf"),
        5.9,
        "nearer to the original weights: 6.6 bits each",
    ),
)


def known_model(name: str) -> KnownModel | None:
    """The known model of this name or file name, in any case, with or without `.gguf`; None where there is none."""
    asked = name.lower().removesuffix(".gguf")
    return next((each for each in KNOWN if asked in {each.name, each.address.file.lower().removesuffix(".gguf")}), None)
