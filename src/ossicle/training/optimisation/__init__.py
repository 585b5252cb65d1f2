"""The optimiser, the learning rate of every step, and several batches in one step."""
