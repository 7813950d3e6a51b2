"""What a list calls the targets of a group in, one word for each sector out; what we do not know stays as told."""

from __future__ import annotations

from typing import Final

# Our word, then words of which one makes a target belong to it, as they stand in the lists (after lowering).
_SECTORS: Final = """
government: government administration diplomacy diplomatic intelligence ministry ministries embassy embassies justice
defense: defense defence military
finance: finance financial bank banks banking cryptocurrency investment payment insurance
energy: energy electric electrical electricity gas oil petroleum petrochemical nuclear utilities
telecom: telecom telecoms telecomms telecommunications telecommunication
technology: technology technologies information high-tech semiconductor semiconductors software electronics
manufacturing: manufacturing industrial automotive chemical engineering
transport: transport transportation rail logistics maritime shipping
aerospace: aerospace aviation space satellite
health: health healthcare medical pharmaceutical pharmaceuticals pharmacy biomedical hospital hospitals biotechnology
education: education academia university universities research academic
ngo: ngo ngos non-profit activists dissidents opposition separatists think-tank
media: media news journalist journalists press
construction: construction
water: water
hospitality: hospitality hotels travel tourism
legal: legal law
retail: retail commerce e-commerce
mining: mining
food: food agriculture
gaming: gaming gambling
"""
_BY_WORD: Final = {
    word: line.partition(":")[0] for line in _SECTORS.strip().split("\n") for word in line.partition(":")[2].split()
}
_WHOLE: Final = {
    "civil society": "ngo",
    "think tanks": "ngo",
    "high tech": "technology",
    "non-profit organisation": "ngo",
    "media and entertainment": "media",
    "defense industrial base": "defense",
    "security service": "government",
    "political party": "political party",
    "intelligence": "government",
}


def sector(told: str) -> str:
    """The sector; of a text that names several, the first."""
    word = " ".join(told.split()).lower()
    if word in _WHOLE:
        return _WHOLE[word]
    parts = word.replace(",", " ").replace("/", " ").split()
    return next((_BY_WORD[part] for part in parts if part in _BY_WORD), word)
