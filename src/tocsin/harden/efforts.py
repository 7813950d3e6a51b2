"""A mitigation in, the effort that it takes out: our judgement, which a team replaces by its own.

1 is a setting that one person changes in a day; 2 weeks of work of one team; 3 months, or the work of several;
4 a programme that changes how people work; 5 one that never ends.
"""

from __future__ import annotations

from typing import Final

_UNKNOWN: Final = 3  # of a mitigation that came after this table

_EFFORTS: Final = {
    "M1013": 4,  # guidance to developers
    "M1015": 3,  # a directory that grew for years
    "M1016": 2,  # scanning; mending what is found is M1051
    "M1017": 5,  # people come and go
    "M1018": 3,
    "M1019": 4,  # somebody must read what is bought
    "M1020": 3,  # certificates on every machine, and what breaks by it
    "M1021": 2,
    "M1022": 2,
    "M1024": 2,
    "M1025": 2,
    "M1026": 4,  # administrators work another way afterwards
    "M1027": 2,
    "M1028": 3,
    "M1029": 2,
    "M1030": 4,  # a network that was flat
    "M1031": 3,
    "M1032": 3,  # everybody is given a second factor
    "M1033": 3,
    "M1034": 3,
    "M1035": 2,
    "M1036": 1,
    "M1037": 2,
    "M1038": 4,  # what may run must be known first
    "M1039": 1,
    "M1040": 2,
    "M1041": 3,
    "M1042": 2,
    "M1043": 2,
    "M1044": 2,
    "M1045": 2,
    "M1046": 3,
    "M1047": 2,
    "M1048": 3,
    "M1049": 2,
    "M1050": 1,
    "M1051": 5,
    "M1052": 1,
    "M1053": 3,
    "M1054": 2,
    "M1056": 3,
    "M1057": 3,
    "M1060": 2,
}


def effort(mitigation: str) -> int:
    return _EFFORTS.get(mitigation, _UNKNOWN)
