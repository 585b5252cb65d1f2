"""Whether scores are probabilities, and maps that make them so."""
