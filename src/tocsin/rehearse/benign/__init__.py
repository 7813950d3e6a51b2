"""Ordinary working life, day by day, as plausible and as ugly as it is."""
