"""Events in, kept for years as Delta tables with an index of what was observed in them; and Events again out."""
