"""FunctionCall: stop when a member has called a tool or handed over by a function."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kagent_render.catalog.base import Component, Problem
from kagent_render.catalog.conditions.base import Condition, ConditionScope, Location, stock
from kagent_render.catalog.fields import Text
from kagent_render.diagnostics import did_you_mean


class FunctionCall(Condition):
    """Stop after the turn in which a member has called this function."""

    type: Literal["FunctionCall"]
    function_name: Text = Field(description="A tool, or a handoff such as transfer_to_b, by the name the model sees.")

    def lower(self, scope: ConditionScope, location: Location) -> Component:
        """AutoGen's FunctionCallTermination; a function that no member has is a defect."""
        if self.function_name not in scope.functions:
            help = did_you_mean(self.function_name, scope.functions)
            help = help or "functions: " + (", ".join(scope.functions) or "none")
            message = f"no member can call `{self.function_name}`"
            scope.problems.append(Problem("KR330", message, (*location, "functionName"), help))
        return stock("FunctionCallTermination", {"function_name": self.function_name})
