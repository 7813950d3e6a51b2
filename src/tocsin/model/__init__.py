"""Nouns: frozen, without I/O, importing only each other."""
