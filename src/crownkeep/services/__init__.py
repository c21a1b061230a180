"""The AWS services we serve: one package each, one module per kind of resource; none imports another."""
