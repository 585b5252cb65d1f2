"""Encoders that read a file of weights or an installed model, without torch, and where such files are looked for."""
