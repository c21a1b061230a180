"""What happens to a record after its commit: its place in the tree, signed checkpoints and witnesses; log files and digests."""
