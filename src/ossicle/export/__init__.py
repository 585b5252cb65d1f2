"""Torch to ONNX, and the proof that both give the same scores."""
