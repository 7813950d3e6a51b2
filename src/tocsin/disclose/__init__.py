"""A case and what people decided in, whom it touches and what they are told out: letters, pages, joint statements."""
