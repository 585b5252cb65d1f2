"""Windows of recordings labelled as a whole or by stretches: what is on in each of them, and the loudest ones."""
