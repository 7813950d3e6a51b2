"""Logs of nodes: what each said in order, signed, so that what was kept back, changed or said twice can be found."""
