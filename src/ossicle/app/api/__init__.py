"""The Python interface: what ``import ossicle`` offers. The command line is a thin layer over it."""
