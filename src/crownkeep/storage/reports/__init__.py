"""Reports: what was asked for, and what they are made of."""
