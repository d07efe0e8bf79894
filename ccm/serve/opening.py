"""From a workspace to the app that serves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette

from ccm.model.workspace import Workspace
from ccm.run.events import open_event_desk
from ccm.run.prepare import utc_now
from ccm.run.source_words import source_words
from ccm.serve.app import Service, make_app
from ccm.serve.certificates import Certificates
from ccm.serve.hooks import Callbacks
from ccm.serve.writing import Pages


@dataclass(frozen=True)
class ServeSettings:
    """What the operator says about callbacks.

    public_url: What providers call, without a path; empty if it is what the request says.
    topics: Amazon SNS topics whose notifications are taken.
    twilio_token: Signs Twilio's callbacks; none are taken where it is empty.
    confirm_topics: Confirm subscriptions of these topics through the API; otherwise the log tells the token.
    """

    public_url: str = ""
    topics: tuple[str, ...] = ()
    twilio_token: str = ""
    confirm_topics: bool = False


def open_service(workspace: Workspace, settings: ServeSettings) -> tuple[Starlette, Callable[[], None]]:
    """Open the store and make the app.

    Returns:
        The app, and what closes the store.
    Raises:
        ConfigurationFault: If the secrets cannot be used.
        LedgerError: If the database cannot be opened, or was written under a secret that is not at hand.
    """
    desk, store, keyring = open_event_desk(workspace, actor="serve")
    titles = {
        brand.definition.senders.sms.sender: brand.definition.title
        for brand in workspace.brands.values()
        if brand.definition.senders.sms is not None
    }
    callbacks = Callbacks(
        desk,
        utc_now,
        Certificates(),
        settings.public_url,
        settings.topics,
        settings.twilio_token,
        titles,
        confirm_subscription if settings.confirm_topics else None,
    )
    service = Service(Pages(workspace), store, keyring, utc_now, source_words(workspace, store), desk.witness)

    def close() -> None:
        desk.close()
        store.close()

    return make_app(service, callbacks.routes()), close


def confirm_subscription(topic: str, token: str) -> None:
    """Confirm a subscription of an SNS topic that the operator named, with the machine's AWS credentials."""
    import boto3

    boto3.client("sns", region_name=topic.split(":")[3]).confirm_subscription(TopicArn=topic, Token=token)
