"""Load: authored files and tables of data → workspace, recipients, diagnostics."""

from ccm.load.brand import load_brand
from ccm.load.campaign import check_campaign, load_parameters
from ccm.load.contract import type_record
from ccm.load.fragment import load_fragments
from ccm.load.lint import lint_templates
from ccm.load.schema import SCHEMA_KINDS, contract_json_schema, schema_of, write_schemas
from ccm.load.segment import SegmentError, compile_segment
from ccm.load.source.headers import check_source
from ccm.load.source.recipients import count_rows, drop_staged_rows, load_recipients
from ccm.load.source.suppressions import load_suppressions
from ccm.load.template import load_template
from ccm.load.where_used import Use, where_used
from ccm.load.workspace import load_workspace
from ccm.load.yaml_reader import read_yaml_file

__all__ = [
    "SCHEMA_KINDS",
    "SegmentError",
    "Use",
    "check_campaign",
    "check_source",
    "compile_segment",
    "contract_json_schema",
    "count_rows",
    "drop_staged_rows",
    "lint_templates",
    "load_brand",
    "load_fragments",
    "load_parameters",
    "load_recipients",
    "load_suppressions",
    "load_template",
    "load_workspace",
    "read_yaml_file",
    "schema_of",
    "type_record",
    "where_used",
    "write_schemas",
]
