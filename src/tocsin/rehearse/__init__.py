"""Nothing in, evidence whose story we know out: for first steps, and to see that the whole way works."""
