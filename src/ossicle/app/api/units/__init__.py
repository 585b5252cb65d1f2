"""Unit sequences of any audio file by a trained quantiser, and those of a finished project in other forms."""
