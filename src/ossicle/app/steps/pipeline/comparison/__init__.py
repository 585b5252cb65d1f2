"""What the leaderboard reads of each kind of project."""
