"""The only room that touches the world: programs with fixed words, files, posts; a journal is written before each."""
