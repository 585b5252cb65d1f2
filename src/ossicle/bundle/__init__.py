"""The bundle: everything needed to run a model elsewhere. Its format, its card and the ONNX runtime. No torch."""
