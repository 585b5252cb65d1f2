"""Export from torch to ONNX, with a check that both give the same scores."""
