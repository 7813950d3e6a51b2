"""Keys of people and nodes, canonical JSON, signed envelopes, hash chains and signed decisions; it knows only nouns."""
