"""Words on a command line in; a page for the terminal, files and an exit code out."""
