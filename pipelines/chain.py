"""Reads a Beam pipeline as a chain of steps that an engine without a Beam runner can run; `chain_stages` runs them.

Every job of a preparation is such a chain: Create, then any number of Reshuffle, ParDo and GroupByKey, each with one
input and one output. Whatever else a pipeline has is refused, so that an engine never leaves out data.
"""

from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.internal import pickler
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor
from apache_beam.runners.common import DoFnSignature
from apache_beam.runners.runner import PipelineResult, PipelineState
from apache_beam.transforms import core

from pipelines.chain_stages import BoundDoFn, ExecutableStage, StageWork


class Ended(PipelineResult):
    """A pipeline that has run to its end."""

    def __init__(self) -> None:
        super().__init__(PipelineState.DONE)

    def wait_until_finish(self, duration: int | None = None) -> str:
        """Returns the state at once."""
        return PipelineState.DONE


class Chain(NamedTuple):
    """A pipeline as a chain.

    Attributes:
        values: the elements that the pipeline creates.
        stages: what is done with them, in order.
    """

    values: tuple[Any, ...]
    stages: tuple[ExecutableStage, ...]

    def stage_work(self) -> list[StageWork]:
        """Returns the work of workers for each stage."""
        follows = [stage.is_grouped for stage in self.stages[1:]] + [False]
        return [
            StageWork(stage.steps, stage.is_grouped, keyed) for stage, keyed in zip(self.stages, follows, strict=True)
        ]


def chain_of(pipeline: beam.Pipeline) -> Chain:
    """Returns a pipeline as a chain.

    Raises:
        NotImplementedError: it is not a chain; the message names the step.
    """
    visitor = _Visitor()
    pipeline.visit(visitor)
    return Chain(
        visitor.values,
        tuple(ExecutableStage(is_grouped, pickler.dumps(steps)) for is_grouped, steps in visitor.stages),
    )


class _Visitor(PipelineVisitor):
    """Collects the steps; composites that engines have an operation for are not entered."""

    def __init__(self) -> None:
        self.values: tuple[Any, ...] = ()
        self.stages: list[tuple[bool, list[BoundDoFn]]] = []
        self._last: Any = None
        self._inside: AppliedPTransform | None = None

    def enter_composite_transform(self, node: AppliedPTransform) -> None:
        if self._inside is None and isinstance(node.transform, beam.Create | beam.Reshuffle):
            self._inside = node

    def leave_composite_transform(self, node: AppliedPTransform) -> None:
        if self._inside is node:
            self._add(node)
            self._inside = None

    def visit_transform(self, node: AppliedPTransform) -> None:
        if self._inside is None:
            self._add(node)

    def _add(self, node: AppliedPTransform) -> None:
        transform, outputs = node.transform, list(node.outputs.values())
        is_first = isinstance(transform, beam.Create)
        if is_first != (self._last is None) or len(outputs) != 1 or not is_first and node.inputs != (self._last,):
            raise _unknown(node)
        self._last = outputs[0]
        if is_first:
            self.values = tuple(transform.values)
            self.stages.append((False, []))
        elif isinstance(transform, beam.Reshuffle):
            if self.stages[-1][1]:
                self.stages.append((False, []))
        elif isinstance(transform, beam.GroupByKey):
            self.stages.append((True, []))
        elif isinstance(transform, beam.ParDo) and not node.side_inputs and _is_plain(transform.fn):
            arguments, named = transform.raw_side_inputs
            self.stages[-1][1].append(BoundDoFn(transform.fn, tuple(arguments), dict(named)))
        else:
            raise _unknown(node)


def _is_plain(do: beam.DoFn) -> bool:
    """Returns whether a DoFn needs only `setup` and its elements: no windows, timers, states and ends of bundles."""
    kind = type(do)
    ends = kind.finish_bundle is not beam.DoFn.finish_bundle or kind.start_bundle is not beam.DoFn.start_bundle
    return not ends and not any(
        isinstance(each, core._DoFnParam) for each in DoFnSignature(do).process_method.defaults
    )


def _unknown(node: AppliedPTransform) -> NotImplementedError:
    return NotImplementedError(
        f"the step {node.full_label!r} can't be run by this engine; each step must be a Create, Reshuffle, ParDo or "
        "GroupByKey whose only input is the output of the step before it. Use another engine for other steps."
    )
