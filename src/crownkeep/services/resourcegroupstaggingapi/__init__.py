"""The Resource Groups Tagging API, as far as tools ask it: which resources have which tags."""
