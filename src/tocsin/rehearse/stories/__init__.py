"""Intrusions, and what else must be told apart from them, act by act."""
