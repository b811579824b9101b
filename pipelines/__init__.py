"""The Apache Beam jobs: documents in, sharded TFRecords out. Beam is imported here and nowhere else."""
