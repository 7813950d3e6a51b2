"""A case in, whom it touches out, with what they are told: a register, letters, a page for a minister."""
