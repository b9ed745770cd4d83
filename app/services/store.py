"""Create a store: home, database, lake, and the card as its first active version."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db import create_store_engine, open_session, transaction, upgrade
from app.db.migrate import current_revision, head_revision, is_known_revision, schema_problem
from app.domain.outcomes import default_definition
from app.domain.policy import Policy
from app.domain.scorecard import Scorecard, default_card
from app.domain.types import Document
from app.errors import ConflictError, StoreNotInitialisedError, UnavailableError
from app.models import ScorecardVersion
from app.services.audit_service import record
from app.services.conflicts import conflicts_named
from app.services.definition_service import add_definition_row
from app.services.policy_service import add_policy_row, require_usable
from app.services.version_activations import add_first_activation
from app.services.version_rows import add_version_row
from app.settings import Settings, default_actor, get_settings

_A_TABLE = ScorecardVersion.__tablename__
_FIRST = "The first version: the store was initialised with this card."


def initialise_store(
    *,
    card: Scorecard | None = None,
    policy: Policy | None = None,
    actor: str | None = None,
    settings: Settings | None = None,
) -> Document:
    """Create the store that the settings name, with the card as active version v1.

    Writes: the home, the database at the newest migration, the lake's directory, the built-in
    outcome definition, the policy, the version ``v1`` with its activation, and their events.

    Parameters
    ----------
    card : Scorecard, optional
        The expert's card; by default the supply-chain card.
    policy : Policy, optional
        Thresholds and who may decide; by default the built-in policy.
    actor : str, optional
        The person on the record; by default the OS user.
    settings : Settings, optional
        Where the store is; by default from the environment.

    Returns
    -------
    dict
        home, database_url (its password hidden), lake_url, version, card, n_features,
        content_hash, policy_id and allow_self_review.

    Raises
    ------
    ConflictError
        If there is a store already; nothing is changed.
    DocumentError
        If no version could ever be activated under the policy.
    UnavailableError
        If the lake is in an object store whose bucket does not answer.
    """
    place = settings or get_settings()
    chosen, rules = card or default_card(), policy or Policy()
    require_usable(rules)
    place.home.mkdir(parents=True, exist_ok=True)
    shown = _refuse_existing(place)
    _prepare_lake(place.lake_url)
    upgrade(place.database_url)
    with open_session(place.database_url) as db, conflicts_named(_already(shown)):
        row, policy_id = _fill(db, chosen, rules, actor or default_actor(), shown, place)
        return {
            "home": str(place.home),
            "database_url": shown,
            "lake_url": place.lake_url,
            "version": row.version,
            "card": chosen.name,
            "n_features": len(chosen.features),
            "content_hash": row.content_hash,
            "policy_id": policy_id,
            "allow_self_review": rules.allow_self_review,
        }


def upgrade_store(*, actor: str | None = None, settings: Settings | None = None) -> Document:
    """Bring the schema of an existing store up to this release; its content stays.

    Writes: the tables and triggers of the newer migrations, and the event ``store.upgraded``;
    nothing where the schema is the newest already.

    Parameters
    ----------
    actor : str, optional
        The person on the record; by default the OS user.
    settings : Settings, optional
        Where the store is; by default from the environment.

    Returns
    -------
    dict
        database_url (its password hidden), ``revision_before``, ``revision`` and ``changed``.

    Raises
    ------
    StoreNotInitialisedError
        If there is no store.
    ConflictError
        If another release made it, which this one does not know.
    """
    place = settings or get_settings()
    shown, found = find_revision_at(place)
    document = {"database_url": shown, "revision_before": found, "revision": head_revision()}
    if found == head_revision():
        return {**document, "changed": False}
    if not is_known_revision(found):
        problem = schema_problem(found)
        raise ConflictError(": ".join(problem or ()), found=found, needed=head_revision())
    upgrade(place.database_url)
    with open_session(place.database_url) as db, transaction(db):
        record(
            db,
            actor=actor or default_actor(),
            action="store.upgraded",
            subject="store",
            payload={"revision_before": found, "revision": head_revision()},
        )
    return {**document, "changed": True}


def find_revision_at(place: Settings) -> tuple[str, str | None]:
    """Find the schema of a store, whichever release made it.

    Parameters
    ----------
    place : Settings
        Where the store is.

    Returns
    -------
    tuple of str and str or None
        The database's URL with its password hidden, and the revision.

    Raises
    ------
    StoreNotInitialisedError
        If there is no store.
    UnavailableError
        If the database does not answer.
    """
    url = make_url(place.database_url)
    shown = url.render_as_string(hide_password=True)
    missing = StoreNotInitialisedError(f"there is no store in {shown}: run chancellor init")
    if place.database_url.startswith("sqlite") and not Path(url.database or "").exists():
        raise missing
    engine = create_store_engine(place.database_url)
    try:
        with engine.connect() as connection:
            found = current_revision(connection)
            if found is None and not inspect(connection).has_table(_A_TABLE):
                raise missing
            return shown, found
    except OperationalError as error:
        raise UnavailableError(f"the database does not answer: {error.orig}") from error
    finally:
        engine.dispose()


def _already(shown: str) -> str:
    return (
        f"There is a store in {shown} already. One store serves one scorecard: add a version with "
        "`chancellor versions add`, or set CHANCELLOR_HOME to another folder."
    )


def _prepare_lake(url: str) -> None:
    if "://" not in url:
        Path(url).mkdir(parents=True, exist_ok=True)
        return
    from app.lake.store import open_lake  # noqa: PLC0415 - loads pyarrow

    lake = open_lake(url)
    if not lake.is_local:
        lake.require_there()


def _refuse_existing(place: Settings) -> str:
    engine = create_store_engine(place.database_url)
    try:
        shown = engine.url.render_as_string(hide_password=True)
        if inspect(engine).has_table(_A_TABLE):
            with engine.connect() as connection:
                if connection.execute(select(ScorecardVersion.id).limit(1)).first() is not None:
                    raise ConflictError(_already(shown), database_url=shown)
        return shown
    finally:
        engine.dispose()


def _fill(
    db: Session, card: Scorecard, policy: Policy, actor: str, shown: str, place: Settings
) -> tuple[ScorecardVersion, int]:
    with transaction(db):
        record(
            db,
            actor=actor,
            action="store.initialised",
            subject="store",
            payload={"database_url": shown, "lake_url": place.lake_url, "card": card.name},
        )
        policy_row = add_policy_row(db, policy, actor=actor)
        add_definition_row(db, default_definition(), version=1, actor=actor)
        row = add_version_row(
            db,
            card=card,
            origin="person",
            base_version=None,
            model_id=None,
            requested_by=actor,
            created_by=actor,
            note=_FIRST,
            despite_advice=False,
            evidence=None,
            verdicts=(),
        )
        add_first_activation(db, row, actor=actor, reason=_FIRST)
        return row, policy_row.id
