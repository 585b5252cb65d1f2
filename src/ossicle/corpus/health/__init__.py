"""Find problems of a corpus, and say what to do about them."""
