"""How well units agree with words: mutual information, purity, boundaries and ABX; what units cost in bits."""
