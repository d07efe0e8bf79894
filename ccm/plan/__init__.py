"""Plan: who gets what, who is left out and why. Pure: no file, clock, environment or random source."""

from ccm.plan.brief import PlanBrief
from ccm.plan.broadcasts import plan_broadcasts
from ccm.plan.capabilities import compare_capabilities
from ccm.plan.occurrences import OccurrenceError, occurrence_of
from ccm.plan.recipients import is_addressed, plan

__all__ = [
    "OccurrenceError",
    "PlanBrief",
    "compare_capabilities",
    "is_addressed",
    "occurrence_of",
    "plan",
    "plan_broadcasts",
]
