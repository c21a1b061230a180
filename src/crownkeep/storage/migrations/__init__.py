"""The schema's history: one numbered step after another, each a file in `versions`."""
