"""What the tests, the benchmarks and the scripts share. It imports nothing from any of them."""
