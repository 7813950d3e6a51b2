"""Between nations: what may leave, what it says of us when it does, and what was let go."""

from tocsin.share.hidden import Hidden, Name
from tocsin.share.journal import JOURNAL, add, entries, key_for
from tocsin.share.ours import names, networks
from tocsin.share.release import decide

__all__ = ["JOURNAL", "Hidden", "Name", "add", "decide", "entries", "key_for", "names", "networks"]
