"""The data plane: immutable Parquet files, named by the hash of their bytes."""
