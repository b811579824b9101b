"""Settings of the splits: which text is held out for validation and for the test."""

import dataclasses
from collections.abc import Sequence

from textgen.config.fields import Settings, internal, setting
from textgen.errors import require

SPLITS = ("train", "validation", "test")

ALL_SPLITS = "all"
"""Name under which a whole dataset is read, all of its splits one after another."""

HELD_OUT_PERCENT = 5.0
"""Percent of the text that each held-out split gets unless a setting or the input says otherwise."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitSettings(Settings):
    """Settings that assign documents to splits.

    A percentage of None becomes 5, or 0 if the input itself says which text the split has. `given_splits` names the
    splits that have files of their own, separated by commas; empty for none.
    """

    split_by: str = setting(
        "document", choices=("document", "tail"), group="splits",
        help="document: hold out whole documents, by a hash of their text; tail: hold out the end of every document",
    )  # fmt: skip
    validation_percent: float | None = setting(
        None, at_least=0, below=100, group="splits", metavar="PERCENT",
        help="percent of the training text held out for validation (default: 5; 0 if the input gives the split)",
    )  # fmt: skip
    test_percent: float | None = setting(
        None, at_least=0, below=100, group="splits", metavar="PERCENT",
        help="percent of the training text held out for the test (default: 5; 0 if the input gives the split)",
    )  # fmt: skip
    split_field: str | None = setting(
        None, group="splits", metavar="NAME",
        help="column or field that names the split of each row: train, validation, val, dev, test and so on",
    )  # fmt: skip
    group_field: str | None = setting(
        None, group="splits", metavar="NAME",
        help="column or field, such as the author, whose rows of equal value all belong to one split",
    )  # fmt: skip
    held_out_duplicates: str = setting(
        "keep", choices=("keep", "drop"), group="splits",
        help="training documents whose cleaned text equals that of a held-out document",
    )  # fmt: skip
    given_splits: str = internal("", pattern="|validation|test|validation,test")

    @property
    def separates_equal_texts(self) -> bool:
        """Whether documents of equal text may belong to different splits."""
        return bool(self.given_splits or self.split_field or self.group_field)

    def held_out_percent(self) -> dict[str, float]:
        """Returns the percent of each held-out split."""
        return {"validation": self.validation_percent or 0.0, "test": self.test_percent or 0.0}

    def check_together(self) -> None:
        """Fills in the percentages that are not given, and checks that the settings of the splits fit together.

        Raises:
            UserError: they do not.
        """
        given = self.given_splits.split(",")
        for name in ("validation", "test"):
            if getattr(self, f"{name}_percent") is None:
                percent = 0.0 if name in given or self.split_field else HELD_OUT_PERCENT
                object.__setattr__(self, f"{name}_percent", percent)
        held_out = self.held_out_percent()
        for name, percent in held_out.items():
            require(
                not percent or name not in given,
                f"{name} percent is {percent:g}, but --{name}-input names the files of the {name} split. Leave "
                f"--{name}-percent out, or use 0.",
            )
        require(
            sum(held_out.values()) < 100,
            f"validation and test take {sum(held_out.values()):g} percent of the text; they must leave some to train "
            "on. Lower --validation-percent or --test-percent.",
        )
        require(
            not (self.split_field and self.given_splits),
            f"split field is {self.split_field!r}, but files of their own are named for {self.given_splits}; one of "
            "them says which split a document belongs to. Leave --split-field out, or --validation-input and "
            "--test-input.",
        )
        require(
            not self.group_field or self.split_by == "document",
            f"group field is {self.group_field!r} and split by is 'tail', which holds out a part of every document. "
            "Use --split-by document, or leave --group-field out.",
        )


def names_of_given(*, validation: Sequence[str], test: Sequence[str]) -> str:
    """Returns the names of the splits that have files of their own, as `given_splits` holds them.

    >>> names_of_given(validation=["valid.txt"], test=["test/*.txt"])
    'validation,test'

    Args:
        validation: files of the validation split.
        test: files of the test split.
    """
    return ",".join(split for split, paths in (("validation", validation), ("test", test)) if paths)
