"""From audio files to recordings: what each holds, how loud it is, and what its recorder wrote into it."""
