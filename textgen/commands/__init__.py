"""One command a file: `add_arguments(parser)` and `run(arguments)`.

Workers are imported when a command runs, so that `--help` does not wait for TensorFlow.
"""
