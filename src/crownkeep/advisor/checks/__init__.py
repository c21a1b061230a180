"""The checks, one module each: metadata, and one pure function over evidence."""
