"""The commands, one per module: `add_arguments(parser)` adds its options, and `run(arguments)` does its work.

Workers are imported when a command runs, so that `--help` does not wait for TensorFlow.
"""
