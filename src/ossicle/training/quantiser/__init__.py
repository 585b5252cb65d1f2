"""What makes the training of a quantiser faster where the libraries of training are installed. Results stay equal."""
