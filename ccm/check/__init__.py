"""Check: what must be true of composed output before anything leaves. Pure."""

from ccm.check.facts import Authored, prove_facts
from ccm.check.inspection import Inspected, check, inspect
from ccm.check.rules import CheckRules

__all__ = ["Authored", "CheckRules", "Inspected", "check", "inspect", "prove_facts"]
