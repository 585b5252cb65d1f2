"""The figures of every epoch in TensorBoard and Weights & Biases, and what they say about a training."""
