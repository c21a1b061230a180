"""Amazon S3, as far as tools ask it before they go on: there are no buckets here."""
