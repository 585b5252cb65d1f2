"""Jobs on Slurm: their scripts, the runner, and what is checked before."""
