"""Named test customers of a template: `samples/<name>.yaml`, checked against the data contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from ccm.diagnostics import Diagnostic, Location
from ccm.load.contract import contract_reader, unknown_fields
from ccm.load.yaml_reader import read_yaml
from ccm.model.definitions import TemplateDefinition
from ccm.model.workspace import ContentLibrary

# What a sample may say beside the contract's fields, unless the contract has a field of that name.
ENVELOPE = ("locale", "country", "zone")


def load_samples(
    library: ContentLibrary, root: str, template: TemplateDefinition
) -> tuple[dict[str, Mapping[str, object]], tuple[Diagnostic, ...]]:
    """Load the samples of a template.

    Returns:
        Raw data by file name without ending, and what the contract says about it, in the sample's file.
    """
    samples: dict[str, Mapping[str, object]] = {}
    diagnostics: list[Diagnostic] = []
    for path in library.under(f"{root}/samples"):
        name = PurePosixPath(path)
        if name.suffix not in (".yaml", ".yml"):
            continue
        file, problems = read_yaml(library.read(path), path)
        diagnostics += problems
        if not isinstance(file.data, Mapping):
            if not problems:
                what, remedy = "a sample is a mapping of the contract's fields", "write `name: value` lines"
                diagnostics.append(Diagnostic("wrong-shape", what, remedy, Location(path, 1, 1)))
            continue
        extra = set(ENVELOPE) - set(template.contract)
        values = {key: value for key, value in file.data.items() if key not in extra}
        _, faults = contract_reader(template.contract).read(values)
        for fault in (*unknown_fields(values, template.contract), *faults):
            place = file.at(fault.steps, key=fault.code == "unknown-field")
            diagnostics.append(Diagnostic(fault.code, fault.message, fault.remedy, place))
        samples[name.stem] = file.data
    return samples, tuple(diagnostics)
