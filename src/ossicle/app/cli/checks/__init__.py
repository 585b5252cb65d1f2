"""Commands that check an installation or a project."""
