"""Files that others write in, nouns out: what intelligence looks like at the border, and nowhere else.

And the frames in which workers write what a later part of the same run reads.
"""
