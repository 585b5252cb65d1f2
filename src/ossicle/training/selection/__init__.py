"""What a training chooses on groups held out within it: plateau, patience and best epoch."""
