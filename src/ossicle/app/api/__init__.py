"""The Python interface: what ``import ossicle`` offers, and what the command line is a shell around."""
