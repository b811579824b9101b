"""Reports: one HTML file about a dataset or a run, for people. Over training and generation."""
