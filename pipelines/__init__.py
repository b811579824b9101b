"""Apache Beam jobs that convert documents into sharded TFRecords; no other package imports Beam."""
