"""What was seen and what is known of groups in, who it may have been out, and how sure that is."""

from tocsin.attribute.profiles import Profiles, prepare
from tocsin.attribute.weighing import weigh

__all__ = ["Profiles", "prepare", "weigh"]
