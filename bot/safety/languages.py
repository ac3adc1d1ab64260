"""Plain statements of a minor's age in German, French and Spanish. It covers basic forms and no more."""

from bot.safety.concern import Reason
from bot.safety.rule import Rule, rule

_DE = (
    r"(?:1[0-7]|[1-9]|ein|zwei|drei|vier|fu?e?nf|sechs|sieben|acht|neun|zehn|elf|zwolf|zwoelf|dreizehn|vierzehn"
    r"|fu?e?nfzehn|sechzehn|siebzehn)"
)
_FR = r"(?:1[0-7]|[1-9]|un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|dix-sept)"
_ES = (
    r"(?:1[0-7]|[1-9]|un|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince|dieciseis|diecisiete)"
)

RULES: tuple[Rule, ...] = (
    rule(
        Reason.STATED_AGE,
        rf"\b{_DE}[-_]?(?:jahre_(?:alt|jung)|jahrig\w{{0,4}})\b|\b(?:ist|bin|bist|sind|wird|war|waren|wie)_(?:erst_"
        rf"|gerade_|nur_|noch_){{0,2}}(?:dreizehn|vierzehn|fu?e?nfzehn|sechzehn|siebzehn|zwolf)<end>"
        r"|\b(?:noch_(?:nicht|keine)|unter)_(?:18|achtzehn|volljahrig)\b",
        r"-?jahrig\w{0,4}_(?:<w>_)?(?:whisky|wein|krieg|haus|hund|katze|ehe)|\bist_elf_(?:an|the)",
        cues="jahr zehn zwolf noch unter",
    ),
    rule(
        Reason.LIFE_STAGE,
        r"\bminderjahrig\w{0,2}\b|\bkleine[snmr]?_(?:madchen|jungen?)\b|\b(?:ein|das|dem|des|kein|unser|mein"
        r"|dieses)_kind(?:es)?\b(?!_(?:of|word|smile|and))"
        r"|\b(?:die|der|den|zwei|drei|viele|kleine|ihre|seine|unsere)_kindern?\b|\bschul(?:madchen|jungen?"
        r"|kind(?:er)?)\b|\bschuler(?:in|innen)?\b|\bjugendliche[rn]?\b"
        r"|\b(?:sauglinge?|kleinkind(?:er)?|grundschul\w{1,8}|gymnasiast\w{0,5})\b",
        cues="minderjahrig klein kind schul jugendlich saugling gymnasiast",
    ),
    rule(
        Reason.STATED_AGE,
        rf"\b(?:a|as|ai|j'ai|avait|avais|ont|avaient|aura|agee?s?_de|agee?s?_d'|que|de|d')_?(?:<w>_)?{_FR}_ans\b"
        rf"|\bmoins_de_18_ans\b|\bpas_(?:encore_)?(?:18|dix-huit)_ans\b",
        rf"\by_a_(?:<w>_)?{_FR}_ans|\b(?:vin|whisky|mariage|guerre|maison|chien|chat)_(?:<w>_)?de_{_FR}_ans"
        rf"|\b(?:pendant|depuis|apres|dans)_(?:<w>_)?{_FR}_ans",
        cues="ans",
    ),
    rule(
        Reason.LIFE_STAGE,
        r"\b(?:fillettes?|petites?_filles?|petits?_garcons?|gamins?|adolescente?s?|est_mineure?|une?_mineure?"
        r"|collegien(?:ne)?s?|lyceen(?:ne)?s?|ecolier(?:e)?s?|enfants?|gosses?)\b",
        r"\benfants?_terribles?|\ba_mineur",
        cues="fillette fille garcon gamin adolescent mineur collegien lyceen ecolier enfant gosse",
    ),
    rule(
        Reason.STATED_AGE,
        rf"\b(?:tiene|tengo|tienes|tenia|tenian|tienen|de|con|cumple|cumplio|cumplira|a_los"
        rf"|solo)_(?:<w>_)?{_ES}_añ?n?os\b|\bmenos_de_18_años",
        rf"\b(?:hace|durante|por|desde_hace|vino|whisky|guerra|matrimonio|casa|perro|gato)_(?:<w>_)?(?:de_)?{_ES}_años",
        cues="os",
    ),
    rule(
        Reason.LIFE_STAGE,
        r"\b(?:niñ[oa]s?|menor(?:es)?_de_edad|colegial(?:a|as|es)?|chiquill[oa]s?|muchachit[oa]s?|adolescentes?)\b",
        cues="niñ menor colegial chiquill muchachit adolescente",
    ),
)
