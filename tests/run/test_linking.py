"""A whole run through Amazon and Twilio, and the links that history gives to what it left in the bucket."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from click.testing import CliRunner
from deliver.aws_servers import REGION, aws_environment, empty_moto, moto_client, moto_data
from deliver.twilio_server import ACCOUNT, twilio_server
from run.small_workspace import CAMPAIGN, CCM, TEMPLATE, people, small_workspace

from ccm.cli import cli
from ccm.load import load_workspace
from ccm.model.records import OutcomeKind
from ccm.run import RunOptions, run_campaign, workspace_ledger
from ccm.run.linking import links_of

__all__ = ["aws_environment"]
pytestmark = [
    pytest.mark.usefixtures("aws_environment"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of moto, in its threads
]

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
DOCUMENT = """\
<!doctype html><html><head><title>{{ _("Your balance") }}</title></head>
<body><h1>{{ _("Your balance") }}</h1><p>{{ customer.name }}: {{ facts.balance }}</p></body></html>
"""
STYLE = 'body { font-family: "Plain Sans" }\n'
PROVIDERS = """\
  mail: {{adapter: ses, settings: {{endpoint_url: "{aws}", configuration_set: ""}}}}
  texts:
    adapter: twilio
    settings:
      account_sid: {account}
      auth_token: ${{CCM_TEST_TOKEN}}
      endpoint_url: "{twilio}"
      status_callback: https://messages.example.com/hooks/twilio/status
  documents: {{adapter: s3, settings: {{endpoint_url: "{aws}", bucket: documents, object_name: "s/{{piece}}.pdf", link_days: "1"}}}}
"""


def test_every_piece_reaches_its_provider_and_documents_can_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three providers, three customers; each link gives the PDF that was sent, and nobody else gets one."""
    monkeypatch.setenv("CCM_TEST_TOKEN", "secret-token")
    aws = empty_moto()
    moto_client("ses").verify_domain_identity(Domain="plain.example")
    moto_client("s3").create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": REGION})
    with twilio_server() as texts:
        root = small_workspace(
            tmp_path,
            people(3),
            ccm_dot_yaml=CCM + PROVIDERS.format(aws=aws, twilio=texts.url, account=ACCOUNT),
            templates__notice__template_dot_yaml=TEMPLATE.replace(
                "required: [email]\n  optional: [sms]", "required: [email, document, sms]"
            ).replace("[email, sms]", "[email, sms, document]"),
            templates__notice__document_dot_html=DOCUMENT,
            templates__notice__document_dot_css=STYLE,
            campaigns__news_dot_yaml=CAMPAIGN.replace(
                "together: [email]\n  optional: [sms]", "together: [email, document, sms]"
            ).replace("{email: outbox, sms: outbox}", "{email: mail, sms: texts, document: documents}"),
        )
        workspace, diagnostics = load_workspace(root, lint=False)
        assert workspace is not None
        assert [str(item) for item in diagnostics] == []
        report = run_campaign(workspace, "news", RunOptions(NOW))
        assert report.outcomes[OutcomeKind.ACCEPTED] == 3
        assert len(moto_data()["ses"]["RawMessage"]) == len(texts.messages) == 3
    ledger = workspace_ledger(workspace)
    history = {number: ledger.history(f"P-{number:03}") for number in (1, 2, 3)}
    ledger.close()
    called = {parse_qs(urlsplit(message["StatusCallback"]).query)["piece"][0] for message in texts.messages}
    assert len(called) == 3
    fetched = set()
    for entries in history.values():
        assert {entry.provider for entry in entries} == {"mail", "texts", "documents"}
        links = links_of(workspace, entries)
        assert len(links) == 1
        ((place, link),) = links.items()
        assert place.startswith("s3://documents/s/p-")
        content = httpx2.get(link, trust_env=False).content
        assert content.startswith(b"%PDF-")
        fetched.add(content)
    assert len(fetched) == 3
    told = CliRunner().invoke(cli, ["history", "P-002", "--links", "--workspace", str(root)])
    assert told.exit_code == 0, told.output
    assert told.stdout.count("X-Amz-Signature=") == 1
