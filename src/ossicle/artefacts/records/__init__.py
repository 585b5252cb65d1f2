"""Values of `ossicle.core` as tables, and back."""
