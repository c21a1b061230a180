"""The operator's own service: making, closing and purging accounts. No AWS service, but served through the same door."""
