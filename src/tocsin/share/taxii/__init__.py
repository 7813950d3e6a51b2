"""TAXII 2.1 between nations: a server that tells each peer what release lets it, and a client that loses nothing."""
