"""Amazon S3, read-only: the buckets that trails deliver to, so that stock tools find log files and verify them."""
