"""Packs of rules and public knowledge in, from wherever people keep them, rules and what is known of groups out."""
