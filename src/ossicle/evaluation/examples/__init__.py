"""Examples for a page to show."""
