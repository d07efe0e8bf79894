"""From a workspace to the app that serves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette

from ccm.model.workspace import Workspace
from ccm.run.permitted import open_permission_store
from ccm.run.prepare import utc_now
from ccm.run.source_words import source_words
from ccm.serve.app import Service, make_app
from ccm.serve.writing import Pages


@dataclass(frozen=True)
class ServeSettings:
    """What the operator says about callbacks.

    public_url: What providers call, without a path; empty if it is what the request says.
    topics: Amazon SNS topics whose notifications are taken.
    twilio_token: Signs Twilio's callbacks; none are taken where it is empty.
    """

    public_url: str = ""
    topics: tuple[str, ...] = ()
    twilio_token: str = ""


def open_service(workspace: Workspace, settings: ServeSettings) -> tuple[Starlette, Callable[[], None]]:
    """Open the store and make the app.

    Returns:
        The app, and what closes the store.
    Raises:
        ConfigurationFault: If the secrets cannot be used.
        LedgerError: If the database cannot be opened, or was written under a secret that is not at hand.
    """
    store, keyring = open_permission_store(workspace)
    service = Service(Pages(workspace), store, keyring, utc_now, source_words(workspace, store))
    return make_app(service), store.close
