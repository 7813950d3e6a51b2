"""Files that others write in, nouns out: what intelligence looks like at the border, and nowhere else."""
