"""What judging needs above metrics: ground truth, criteria, examples, leaderboard rows. No torch."""
