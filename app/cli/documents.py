"""Reading the YAML or JSON documents that a person names on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.errors import DocumentError, NotFoundError


def read_document(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON document.

    Parameters
    ----------
    path : Path
        A UTF-8 file that holds one mapping.

    Returns
    -------
    dict
        The mapping; an empty file is an empty mapping.

    Raises
    ------
    NotFoundError
        If there is no such file.
    DocumentError
        If the file cannot be read, is not YAML or JSON, or is not a mapping; it names the line.
    """
    from app.domain.document import parse_document  # noqa: PLC0415 - PyYAML, not for --help

    try:
        document = parse_document(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFoundError(f"there is no file {path}", path=str(path)) from error
    except OSError as error:
        raise DocumentError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DocumentError(str(path), "cannot be read: it is not UTF-8 text") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise DocumentError(str(path), "the document must be a mapping of names to values")
    return document
