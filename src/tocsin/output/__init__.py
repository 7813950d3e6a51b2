"""A run in; files, a page for the terminal, and nothing that a log could use against its reader out."""
