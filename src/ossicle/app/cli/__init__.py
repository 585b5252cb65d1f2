"""The command line. Each command reads its options, calls one function of a lower package, and prints."""
