"""``chancellor serve`` and ``chancellor keys``: the HTTP service, and who may use it."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.options import Actor, AsJson
from app.cli.output import Output, stderr_console
from app.cli.render import keys as render
from app.cli.services import open_services
from app.errors import InvalidInputError

keys = typer.Typer(no_args_is_help=True, help="API keys: who may use the HTTP service, and how.")

_OPEN, _CLOSED = "app.main:create_open_app", "app.main:create_app"
_SECONDS_TO_END = 10

Owner = Annotated[
    str,
    typer.Argument(
        metavar="OWNER", help="The person or program on the record.", show_default=False
    ),
]
KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="From keys list.", show_default=False)]
RoleOption = Annotated[
    str,
    typer.Option(
        "--role", metavar="ROLE", help="viewer, analyst, approver, admin or service.",
        show_default=False,
    ),
]  # fmt: skip
NameOption = Annotated[str, typer.Option("--name", help="What the key is for.")]
Days = Annotated[int, typer.Option("--days", help="Days until it expires.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.", show_default=False)]


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes that answer; limits count in each.")
    ] = 1,
    no_auth: Annotated[
        bool,
        typer.Option("--no-auth", help="Ask for no key: for a laptop, serves this machine only."),
    ] = False,
) -> None:
    """Serve the review desk and the HTTP API over the store, to this machine by default.

    Logs are JSON lines on stderr. Behind a proxy that ends TLS, name the host of
    the proxy's network. Without keys everybody on this machine is you.

    Example:
      chancellor serve --port 8000

    Next: chancellor keys create ada --role analyst
    """
    import uvicorn  # noqa: PLC0415 - not on the way of other commands

    from app.log import configure_logging  # noqa: PLC0415 - the same
    from app.services.webhook_receiver import receiver_of  # noqa: PLC0415 - the same
    from app.settings import default_actor, get_settings  # noqa: PLC0415 - the same

    receiver_of(get_settings())  # refuses an address without a secret before it says where it is
    if no_auth and not _is_loopback(host):
        raise InvalidInputError(
            f"--no-auth serves this machine only: {host} is no loopback address.", host=host
        )
    configure_logging(as_json=True)
    if no_auth:
        stderr_console().print(
            f"Keys are off: everybody on this machine is {default_actor()}, with every right.",
            style="bold yellow", markup=False,
        )  # fmt: skip
    _say_where(host, port)
    uvicorn.run(
        _OPEN if no_auth else _CLOSED,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
        h11_max_incomplete_event_size=32 << 10,
    )


def _say_where(host: str, port: int) -> None:
    """Say where the review desk is; a port that the system chooses is not known yet."""
    import structlog  # noqa: PLC0415 - not on the way of other commands

    from app.settings import get_settings  # noqa: PLC0415 - the same

    name = f"[{host}]" if ":" in host else host
    address = get_settings().public_url or (f"http://{name}:{port}" if port else "")
    if not address:
        return
    console = stderr_console()
    if console.is_terminal:
        console.print(f"The review desk is at {address}/", style="bold", markup=False)
    else:
        structlog.get_logger("chancellor.serve").info("serving", desk=f"{address}/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    import ipaddress  # noqa: PLC0415 - only here

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@keys.command("create")
def create_key(
    owner: Owner,
    role: RoleOption,
    name: NameOption = "",
    days: Days = 90,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Make an API key; it is shown now and never again.

    Example:
      chancellor keys create ada --role analyst --name laptop --days 90

    Next: chancellor serve
    """
    with open_services(actor) as services:
        result = services.keys.create(owner=owner, role=role, name=name, days=days)
    Output(as_json).show(result, render.created)


@keys.command("list")
def list_keys(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the API keys, expired and revoked ones included.

    Example:
      chancellor keys list
    """
    with open_services(actor) as services:
        result = services.keys.list_keys()
    Output(as_json).show(result, render.listed)


@keys.command("revoke")
def revoke_key(key_id: KeyId, reason: Reason, as_json: AsJson = False, actor: Actor = None) -> None:
    """Revoke an API key for good: the next request with it is refused.

    Example:
      chancellor keys revoke 3f0c5a9b1d2e --reason "laptop lost"

    Next: chancellor keys list
    """
    with open_services(actor) as services:
        result = services.keys.revoke(key_id, reason=reason)
    Output(as_json).show(result, render.revoked)
