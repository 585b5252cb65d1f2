"""What runs in Modal's containers: tasks of a plan, and the coordinator that starts them."""
