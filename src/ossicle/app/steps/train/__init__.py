"""Steps that train, and what opens a trained model."""
