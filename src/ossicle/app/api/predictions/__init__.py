"""What a bundle found in recordings, and the files that this is written as."""
