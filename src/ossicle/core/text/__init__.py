"""Names and numbers as text: characters that give orders, plurals, near names."""
