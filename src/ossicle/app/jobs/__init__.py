"""Jobs: the work of a project as command lines, and the runners that run them."""
