"""The command line. Each command reads its options, calls one function below, and prints."""
