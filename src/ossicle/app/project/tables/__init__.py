"""Tables of the project file that no other package defines: placement, Modal, benchmarks, ensembles."""
