"""Who it may have been: hypotheses with probabilities, each a ledger of integers that adds up, and what may be said.

An attribution is technical: it compares what was seen with what is told of groups. It never says that a state did it.
Weights are millidecibans against the hypothesis that it was nobody known: +10000 make something ten times likelier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tocsin.model.observation import TraitKind

Vertex: TypeAlias = Literal["adversary", "capability", "infrastructure", "victim"]
Forgeability: TypeAlias = Literal["cheap", "fair", "hard"]
Independence: TypeAlias = Literal["source", "host", "toolchain"]
LineKind: TypeAlias = Literal["prior", "grounds", "cap", "calibration"]
HypothesisKind: TypeAlias = Literal["group", "kin", "unknown"]
Level: TypeAlias = Literal["group", "sponsor", "cluster", "unknown"]
Reading: TypeAlias = Literal["++", "+", ".", "-", "--"]

UNKNOWN: Final = "unknown"
CERTAIN: Final = 1_000_000_000  # probabilities are counted in billionths, and all sum to this
# How the ids begin of groups that no public list has: what a team wrote down, and clusters of its closed cases.
OWN_SET: Final = "own:"
OWN_CLUSTER: Final = "cluster:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One trait, and how much it speaks for a hypothesis, before and after its cap."""

    kind: TraitKind
    value: str
    vertex: Vertex
    grade: str
    forgeability: Forgeability
    independence: Independence
    uncapped: int
    millidecibans: int
    because: str
    sources: tuple[str, ...] = ()
    name: str = ""  # what people call the value, where it is an id


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a ledger. `ground` is an index into the hypothesis's grounds, -1 for a line that is no trait's."""

    kind: LineKind
    what: str
    millidecibans: int
    ground: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """Somebody that it may have been. The lines add up to `millidecibans`; those of all others are against "unknown".

    Args:
        kind: a group; "kin", a group that is not known but akin to those of one sponsor; or nobody known.
        billionths: the probability.
    """

    id: str
    name: str
    kind: HypothesisKind
    billionths: int
    millidecibans: int
    lines: tuple[Line, ...] = ()
    grounds: tuple[Ground, ...] = ()

    @property
    def probability(self) -> float:
        return self.billionths / CERTAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the matrix of competing hypotheses: one trait against each of the columns.

    `diagnosticity` is the distance between what it says for the best and for the worst of them, in millidecibans.
    """

    kind: TraitKind
    value: str
    grade: str
    readings: tuple[Reading, ...]
    millidecibans: tuple[int, ...]
    diagnosticity: int
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The deepest level that reaches its threshold.

    Args:
        hypotheses: the ids that it speaks of: one group, the groups of a sponsor, none.
        word: from ICD 203 (2015), for the probability.
        because: why it is this level and no deeper, as sentences.
    """

    level: Level
    hypotheses: tuple[str, ...]
    text: str
    billionths: int
    word: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """All that may be said of who it was.

    Args:
        hypotheses: the likeliest first; they sum to one, with "unknown" among them.
        answer: what may be said.
        confidence: in the evidence, which is another thing than the probability; a sentence.
        fragile: what the leading hypothesis hangs on; empty if it survives without any one thing.
        within: the smallest set that holds the answer this often, in thousandths; and its hypotheses.
        columns: of the matrix, ids of hypotheses.
        against: what speaks against the leading hypothesis.
        gaps: what it would be expected to show and was not seen, and where to look.
        would_change: what would make another answer of this one.
        notes: what was not weighed, and why.
    """

    observation: str
    hypotheses: tuple[Hypothesis, ...]
    answer: Answer
    confidence: str
    fragile: tuple[str, ...] = ()
    within: tuple[int, tuple[str, ...]] = (900, ())
    columns: tuple[str, ...] = ()
    matrix: tuple[Row, ...] = ()
    against: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, hypothesis: str) -> Hypothesis | None:
        return next((one for one in self.hypotheses if one.id == hypothesis), None)
