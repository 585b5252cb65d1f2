"""Text files as rows of cells, and cells as text, numbers and labels."""
