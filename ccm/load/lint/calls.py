"""Checks of calls that the types alone do not show: misspelt functions, assets, placeholders of texts."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from jinja2 import nodes

from ccm.diagnostics import nearest
from ccm.load.lint.types import ANY
from ccm.model.vocabulary import BANNED, FILTERS, Kind

if TYPE_CHECKING:
    from ccm.load.lint.expressions import Reading

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def unknown_function(reading: Reading, name: nodes.Name) -> None:
    """Report a call of a function that does not exist, or that is a filter."""
    if name.name in BANNED:
        reading.type_of(name)
        return
    known = [word for word in reading.scope.all() if (reading.scope.find(word) or ANY).kind is Kind.FUNCTION]
    message = f'there is no function "{name.name}"'
    if nearest(name.name, known) is None and name.name in FILTERS:
        remedy = f"it is a filter: write {{{{ value | {name.name} }}}}"
        reading.error(name, "unknown-function", message, remedy, within=name.name)
    else:
        reading.unknown(name, name.name, message, known, "unknown-function")


def check_asset(reading: Reading, node: nodes.Call) -> None:
    """Report asset("…") of a file that is not there."""
    if not node.args or not isinstance(node.args[0], nodes.Const) or reading.asset_known is None:
        return
    name = str(node.args[0].value)
    remedy = reading.asset_known(name)
    if remedy is not None:
        reading.error(node.args[0], "missing-file", f'asset("{name}") finds no file', remedy)


def check_placeholders(reading: Reading, node: nodes.Call, given: Collection[str]) -> None:
    """Report placeholders of `_("… %(name)s", name=…)` that are not given."""
    if not given:
        return
    for text in node.args:
        if not isinstance(text, nodes.Const) or not isinstance(text.value, str):
            continue
        for name in _PLACEHOLDER.findall(text.value):
            if name not in given and name != "num":  # ngettext gives num itself
                reading.unknown(text, name, f'the text names "%({name})s", which is not given', given)
