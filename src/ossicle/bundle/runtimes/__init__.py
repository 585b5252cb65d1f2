"""Run a bundle in onnxruntime, in OpenVINO, or behind an encoder. No torch."""
