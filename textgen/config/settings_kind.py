"""Kind of the settings of a preparation or a run in a file that a stranger may have written; see `schema`."""

import dataclasses
from typing import Any

from textgen.config import from_json
from textgen.config.schema import SchemaError
from textgen.errors import UserError


@dataclasses.dataclass(frozen=True)
class SettingsOf:
    """The settings of a class that `to_json` saved; see `textgen.config.from_json`."""

    config: type

    def check(self, value: Any, name: str) -> Any:
        """See `Kind`."""
        try:
            return from_json(self.config, value)
        except (UserError, TypeError) as error:
            raise SchemaError(f"in {name or 'the settings'}, {str(error).rstrip('.')}") from None
