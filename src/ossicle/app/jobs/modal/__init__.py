"""The runner for Modal: the tasks of jobs in containers that share one volume."""
