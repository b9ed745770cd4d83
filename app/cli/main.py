"""``chancellor``: the command line, put together and guarded.

One place turns what was raised into an exit code and, on request, into a JSON document. No command
module imports SQLAlchemy, Ibis, scikit-learn or Dagster at its top level, so ``--help`` is quick.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from app.cli import errors
from app.cli.commands import (
    alerts,
    analysis,
    audit,
    batches,
    demo,
    exporting,
    exposures,
    fairness,
    keeping,
    labels,
    monitoring,
    outcomes,
    pipeline,
    policies,
    replay,
    reporting,
    scoring,
    serving,
    store,
    training,
    versions,
)
from app.cli.output import print_json, stderr_console
from app.edge.errors import error_document
from app.errors import ChancellorError

if TYPE_CHECKING:
    from app.domain.types import Document

app = typer.Typer(
    name="chancellor",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def chancellor() -> None:
    """Refine the weights of an expert credit scorecard from realised outcomes.

    The scorecard decides; a model advises; people review and activate.

    The way through: init, batch import, outcomes import, pipeline run (or labels
    generate, train, refine), versions compare, versions approve, versions activate.
    "chancellor demo" shows all of it on simulated data in under a minute.

    Exit codes: 0 done, 2 usage, 3 bad input, 4 gate failed, 5 not found,
    6 conflict or not permitted, 7 tampering found, 1 unavailable or unexpected.
    """


_SET_UP, _ADVISE, _DECIDE = "Data", "The adviser", "Decide and prove"
_SERVE = "Serve"
_KEEP = "Keep and move"
_WATCH = "Monitoring"

app.command("init", rich_help_panel=_SET_UP)(store.init)
app.add_typer(policies.policy, name="policy", rich_help_panel=_SET_UP)
app.add_typer(policies.definitions, name="definitions", rich_help_panel=_SET_UP)
app.add_typer(batches.app, name="batch", rich_help_panel=_SET_UP)
app.add_typer(outcomes.app, name="outcomes", rich_help_panel=_SET_UP)
app.add_typer(exposures.app, name="exposures", rich_help_panel=_SET_UP)
app.add_typer(labels.app, name="labels", rich_help_panel=_ADVISE)
app.add_typer(analysis.app, name="analysis", rich_help_panel=_ADVISE)
app.command("train", rich_help_panel=_ADVISE)(training.train)
app.command("refine", rich_help_panel=_ADVISE)(training.refine)
app.add_typer(pipeline.app, name="pipeline", rich_help_panel=_ADVISE)
app.add_typer(training.models, name="models", rich_help_panel=_ADVISE)
app.add_typer(versions.app, name="versions", rich_help_panel=_DECIDE)
app.command("score", rich_help_panel=_DECIDE)(scoring.score)
versions.app.command("points")(exporting.points)
app.command("fairness", rich_help_panel=_DECIDE)(fairness.fairness)
app.command("export", rich_help_panel=_DECIDE)(exporting.export)
app.command("report", rich_help_panel=_DECIDE)(reporting.report)
app.add_typer(audit.app, name="audit", rich_help_panel=_DECIDE)
app.command("replay", rich_help_panel=_DECIDE)(replay.replay)
app.command("demo", rich_help_panel=_SET_UP)(demo.demo)
app.command("doctor", rich_help_panel=_DECIDE)(store.doctor)
app.add_typer(store.rights, name="store", rich_help_panel=_SET_UP)
app.command("monitor", rich_help_panel=_WATCH)(monitoring.monitor)
app.add_typer(alerts.app, name="alerts", rich_help_panel=_WATCH)
app.add_typer(alerts.challengers, name="challengers", rich_help_panel=_WATCH)
app.command("serve", rich_help_panel=_SERVE)(serving.serve)
app.add_typer(serving.keys, name="keys", rich_help_panel=_SERVE)
app.command("backup", rich_help_panel=_KEEP)(keeping.backup)
app.command("restore", rich_help_panel=_KEEP)(keeping.restore)
app.command("copy", rich_help_panel=_KEEP)(keeping.copy)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``chancellor``; by default those of the process.

    Returns
    -------
    int
        Exit code, as in the table of ``app.cli.errors``.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        code = int(app(words, prog_name="chancellor", standalone_mode=False) or errors.DONE)
    except typer.TyperException as error:
        return _usage(error, as_json=as_json)
    except ChancellorError as error:
        _report(error_document(error), as_json=as_json)
        return errors.exit_code_of(type(error))
    except Exception as error:  # noqa: BLE001 - the last resort of the process: reported in full
        return _unexpected(error, as_json=as_json)
    if code == errors.INTERRUPTED:
        stderr_console().print("Interrupted; what was committed before stays.")
    return code


def _usage(error: typer.TyperException, *, as_json: bool) -> int:
    message = error.format_message()
    if as_json:
        print_json({"error": {"code": "usage", "message": message, "facts": {}}})
    elif message:
        console = stderr_console()
        console.print(f"Error: {message}", markup=False, soft_wrap=True)
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "chancellor"
        console.print(f"Try '{path} --help'.", markup=False, soft_wrap=True)
    return errors.USAGE


def _unexpected(error: Exception, *, as_json: bool) -> int:
    if _is_database_error(error):
        code, message = "unavailable", f"The database cannot be used: {_first_line(error)}"
    elif isinstance(error, OSError):
        code, message = "unavailable", f"{type(error).__name__}: {_first_line(error)}"
    else:
        traceback.print_exception(error)
        code = "unexpected"
        message = f"{type(error).__name__}: {_first_line(error)} (a fault in Chancellor)"
    _report({"code": code, "message": message, "facts": {}}, as_json=as_json)
    return errors.UNEXPECTED


def _is_database_error(error: Exception) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "sqlalchemy.exc"}
    return bool(names & {"OperationalError", "ArgumentError"})


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _report(document: Document, *, as_json: bool) -> None:
    if as_json:
        print_json({"error": document})
    else:
        console = stderr_console()
        console.print("Error: ", style="bold red", end="")
        console.print(document["message"], markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
