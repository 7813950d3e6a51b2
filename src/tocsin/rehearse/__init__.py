"""Nothing in, evidence whose story we know out: for first steps, and to see that the whole way works."""

from __future__ import annotations

from tocsin.rehearse.making import Made, Progress, make, making
from tocsin.rehearse.stories.profile import Profile, read_profile

__all__ = ["Made", "Profile", "Progress", "make", "making", "read_profile"]
