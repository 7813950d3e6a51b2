"""A team's own unnamed activity: incidents that resemble each other, long before anybody knows a group's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tocsin.model.observation import Observation

ChangeKind: TypeAlias = Literal["opened", "joined", "left", "merged", "split"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What two incidents share, in millidecibans against chance. `because` are sentences, the weightiest first."""

    one: str
    other: str
    millidecibans: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A line of a cluster's history. `at` is the number of the gathering; `incidents` are those that it concerns."""

    at: int
    kind: ChangeKind
    incidents: tuple[str, ...]
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Incidents of one activity. A cluster that merged into another keeps its id and its history, and has none."""

    id: str
    name: str
    incidents: tuple[str, ...]
    history: tuple[Change, ...]
    merged_into: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """All clusters of a team, with what they are made of: the same observations give the same clusters.

    Args:
        gathered: how often they were gathered.
    """

    gathered: int = 0
    observations: tuple[Observation, ...] = ()
    clusters: tuple[Cluster, ...] = ()

    def of(self, incident: str) -> Cluster | None:
        return next((one for one in self.clusters if incident in one.incidents), None)
