"""How close a resynthesis from units is to the recordings: figures of pairs, and a verdict."""
