"""Packs of rules in, from wherever people keep them, the text of their rules out."""
