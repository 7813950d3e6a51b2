"""A name of a group in, whose way of naming groups it follows out; and who is meant where a list says whose it is."""

from __future__ import annotations

import re
from typing import Final

# Of MISP's galaxy of producers: who is meant where an entry of a threat actor says whose name it is.
PRODUCERS: Final = {
    "0adf6f0f-3795-4de1-9763-1bdd1c31a5d7": "Cisco Talos",
    "0d4886f9-97e1-4cb2-8822-580fd09540e5": "Kaspersky",
    "21afba9e-cd2a-45c9-b421-b1f14fd181e9": "Group-IB",
    "3a43aca5-6366-4168-b182-a8afec4550b5": "ESET",
    "3ac8f6fc-9c04-4ebd-bda2-788cc02fe4ed": "Trend Micro",
    "996c48de-7bb8-414d-b6fe-ec94abb5f461": "SentinelOne",
    "9f2ba728-8b29-48f9-badf-4f4cefb929f0": "PwC",
    "a1ad5090-2487-46d2-8237-6151a2dd5063": "MITRE",
    "a7119872-bc6b-494b-9f7a-8c50faaf53a9": "Secureworks",
    "ad7032df-0e9a-4ea9-b35c-c68ff854be80": "Recorded Future",
    "adb3369a-5683-46b2-bceb-4dafa6526b21": "Check Point",
    "b8ca0932-c4cb-45c0-b7b1-88b9685ba24b": "McAfee",
    "c2f76813-f24c-450e-abfd-0db4495ab68e": "Volexity",
    "cae79680-67a6-4411-903c-f824dbcc813f": "Proofpoint",
    "d0c33595-b684-45ef-91c3-e2f5ce1a8191": "Microsoft",
    "da5cdcd1-7b15-4371-b7eb-ca32916d2052": "Mandiant",
    "e4ed3168-7830-490f-9eed-d1b3ef2daccd": "Dragos",
    "e583434b-7fb8-42c8-90ce-89aa8ed35f0c": "Symantec",
    "e9491d3b-2174-47d6-8a15-ecec552d16ae": "Unit 42",
    "f9eb432f-2293-48b7-bca4-cc78beb50df0": "CrowdStrike",
}

# How vendors say that they name groups. Others use such names too: it is a hint, and always called one.
_FORMS: Final = (
    (r"G\d{4}", "MITRE"),
    (r"(?:APT|UNC|FIN)[ -]?\d+|TEMP\.\w+", "Mandiant"),
    (r"\w+ (?:Taurus|Ursa|Serpens|Libra|Scorpius|Pisces|Lyra|Orion|Gemini|Draco|Leo)|CL-\w+-\d+", "Unit 42"),
    (r"\w+ (?:Typhoon|Blizzard|Sandstorm|Sleet|Tempest|Tsunami|Flood)", "Microsoft"),
    (r"\w+ (?:Cyclone|Hail|Rain|Dust|Lightning)", "Microsoft"),
    (r"(?:Storm|DEV)-\d{4}", "Microsoft"),
    (r"\w+ (?:Panda|Bear|Kitten|Chollima|Spider|Jackal|Buffalo|Tiger|Leopard|Crane|Wolf|Ocelot)", "CrowdStrike"),
    (r"(?:BRONZE|IRON|COBALT|NICKEL|GOLD|TIN|ZINC|COPPER|TUNGSTEN) \w+|TG-\d{4}", "Secureworks"),
    (r"TA\d{3,4}|UNK_\w+", "Proofpoint"),
    (r"(?:Earth|Water) \w+", "Trend Micro"),
    (r"TAG-\d+|(?:Blue|Red)(?:Alpha|Bravo|Charlie|Delta|Echo|Foxtrot|Hotel)", "Recorded Future"),
    (r"UAT-\d+", "Cisco Talos"),
    (r"UAC-\d{4}", "CERT-UA"),
    (r"APT-C-\d+", "Qihoo 360"),
    (r"UTA\d{4}", "Volexity"),
    (r"ITG\d+", "IBM"),
    (r"ATK ?\d+", "Thales"),
)
_FORM: Final = re.compile("|".join(f"({pattern})" for pattern, _ in _FORMS), re.ASCII | re.IGNORECASE)


def by_form(name: str) -> str:
    """The vendor that names groups in this way; empty if the form tells none, or of an operation."""
    if name.casefold().startswith("operation "):
        return ""
    found = _FORM.fullmatch(name)
    return _FORMS[found.lastindex - 1][1] if found and found.lastindex else ""
