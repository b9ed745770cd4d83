"""Find the quote in a CSV file that is never closed: it swallows the rows after it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc


def holds_line_ends(table: pa.Table | pa.RecordBatch) -> bool:
    r"""Say whether a cell spans several lines: a quote that is not closed looks like that.

    Parameters
    ----------
    table : pyarrow.Table or pyarrow.RecordBatch
        Columns of text or bytes.

    Returns
    -------
    bool
        True if one cell holds a line end.

    Examples
    --------
    >>> holds_line_ends(pa.table({"note": ["one", "two\nlines"]}))
    True
    """
    return any(
        pc.any(pc.match_substring_regex(column, r"[\r\n]")).as_py() for column in table.columns
    )


def open_quotes(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    r"""Find the first quote that is never closed, or closed within a cell.

    In the last column such a row has the right number of cells, and the rows up to the next quote
    are gone without a word.

    Parameters
    ----------
    lines : iterable of str
        The file from its start.

    Yields
    ------
    tuple of (int, str)
        The line on which the broken row begins, and what is wrong; one at most.

    Examples
    --------
    >>> [line for line, _ in open_quotes(["id,note\n", 'a,"x\n', "b,y\n"])]
    [2]
    >>> list(open_quotes(["id,note\n", 'a,"two\n', 'lines"\n']))
    []
    """
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error as error:
        sentence = (
            f"the row holds a quote that is never closed, or closed within a cell ({error}): "
            "it would swallow the rows after it"
        )
        yield line, sentence
