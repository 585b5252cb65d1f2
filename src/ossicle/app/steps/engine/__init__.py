"""What a step is, how steps run, progress and input problems."""
