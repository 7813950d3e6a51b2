"""A second, slow and plain reading of Sigma to hold the engine against; it shares no code with `tocsin`."""
