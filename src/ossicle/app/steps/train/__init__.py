"""Steps that train, and the code that loads a trained model."""
