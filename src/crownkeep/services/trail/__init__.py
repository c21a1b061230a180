"""The trail as an account sees it: how it stands, proofs of single records, and events as they come. A service of our own."""
