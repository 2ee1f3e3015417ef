"""What the benchmarks share: rows and their data, workers, statistics, rendering."""
