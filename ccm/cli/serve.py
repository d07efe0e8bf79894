"""`ccm serve`: the pages behind unsubscribe links, and what providers call back."""

from __future__ import annotations

from pathlib import Path

import click

from ccm.cli.terminal import err, open_settings, with_errors, workspace_option


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--root-path", default="", metavar="PATH", help="Path that a proxy in front takes off, such as /mail.")
@click.option(
    "--proxy-headers",
    "proxies",
    default="",
    metavar="ADDRESSES",
    help="Proxies whose X-Forwarded-For and -Proto are believed, separated by commas; nobody's if not given.",
)
@click.option(
    "--public-url",
    default="",
    envvar="CCM_PUBLIC_URL",
    show_envvar=True,
    metavar="URL",
    help="Address that providers call, such as https://mail.example.com; Twilio's signature covers it.",
)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    envvar="CCM_SNS_TOPICS",
    show_envvar=True,
    metavar="ARN",
    help="Amazon SNS topic whose notifications are taken; no other is.",
)
@click.option("--confirm-topics", is_flag=True, help="Confirm subscriptions of these topics through AWS's API.")
@workspace_option
@with_errors
def command(
    host: str,
    port: int,
    root_path: str,
    proxies: str,
    public_url: str,
    topics: tuple[str, ...],
    confirm_topics: bool,
    folder: Path | None,
) -> None:
    """Serve unsubscribe and preference pages, and take what providers report.

    Put a proxy with TLS in front. `/u/{token}` is where `unsubscribe_url` of a brand leads. Callbacks of Twilio need
    TWILIO_AUTH_TOKEN; the secrets that sign links are those of `ccm run` (CCM_SECRET or .ccm/secret).

    Example: ccm serve --port 8080 --proxy-headers 127.0.0.1 --public-url https://mail.example.com
    """
    import os

    import uvicorn

    from ccm.serve.opening import ServeSettings, open_service

    settings = ServeSettings(public_url, topics, os.environ.get("TWILIO_AUTH_TOKEN", ""), confirm_topics)
    app, close = open_service(open_settings(folder), settings)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        root_path=root_path,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or "",
        access_log=False,  # it would write the tokens of links down
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_keep_alive=10,
        limit_concurrency=512,
        h11_max_incomplete_event_size=32 * 1024,
        lifespan="off",
    )
    err.print(f"serving on http://{host}:{port}; stop with Ctrl-C")
    try:
        uvicorn.Server(config).run()
    finally:
        close()
