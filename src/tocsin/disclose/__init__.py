"""Cases and what people decided in, whom to tell and in which words out."""
