"""What is wrong with a corpus, and what to do about it."""
