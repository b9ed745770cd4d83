"""Read papers back with programs that did not write them."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import openpyxl
import pypdfium2
from openpyxl.workbook import Workbook


def pdf_pages(content: bytes) -> list[str]:
    """Give the text of each page, on one line, as a reader searches it."""
    document = pypdfium2.PdfDocument(content)
    try:
        pages = []
        for page in document:
            text = page.get_textpage()
            pages.append(re.sub(r"[\s\u200b\ufffe]+", " ", text.get_text_range()))
            text.close()
            page.close()
        return pages
    finally:
        document.close()


def workbook(content: bytes) -> Workbook:
    """Open a workbook with another program."""
    return openpyxl.load_workbook(io.BytesIO(content))


def sheet_rows(book: Workbook, name: str) -> list[dict[str, object]]:
    """Give the rows of a sheet by its header, which stands in the fourth row."""
    rows = list(book[name].iter_rows(min_row=4, values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


class Page(HTMLParser):
    """Collect elements, addresses and text of a page."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.handlers: set[str] = set()
        self.parts: list[str] = []
        self.feed(content.decode())
        self.close()
        self.text = " ".join("".join(self.parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"href", "src", "xlink:href", "action"}:
                self.addresses.add(value or "")
            if name.startswith("on"):
                self.handlers.add(name)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
