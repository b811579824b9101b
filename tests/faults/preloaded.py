"""Imports what trials need, in the process of which all trials are forked."""

import importlib

from textgen.cli import COMMANDS
from textgen.console import import_tensorflow

import_tensorflow()
for _name in COMMANDS:
    importlib.import_module(f"textgen.commands.{_name}")
