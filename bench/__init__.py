"""Benchmarks: what a request costs here, beside what others do, on this machine."""
