"""Which characters the fonts inside Typst can show; others are written by their number."""

from __future__ import annotations

from functools import lru_cache

import typst

FONT = "Libertinus Serif"
"""Inside the package `typst`; no font of the machine is looked at."""

_LATIN = 0x250
"""Characters below are in the font, but for the control characters among them."""

_CONTROLS = range(0x7F, 0xA0)

_ASKS = f'#set document(title: "-")\n#set text(font: "{FONT}")\n#sys.inputs.letter'.encode()


def showable(text: str, *, only_latin: bool = False) -> str:
    """Write characters that no font inside Typst holds by their number.

    Parameters
    ----------
    text : str
        Of anybody.
    only_latin : bool
        Show no others: some can be set alone, and not beside their neighbours.

    Returns
    -------
    str
        The same where every character can be shown.

    Examples
    --------
    >>> showable("Ελλάδα, 株")
    'Ελλάδα, [U+682A]'
    """
    if text.isascii() and "\x7f" not in text:
        return text
    is_shown = _is_latin if only_latin else _is_shown
    return "".join(letter if is_shown(letter) else f"[U+{ord(letter):04X}]" for letter in text)


def _is_latin(letter: str) -> bool:
    return ord(letter) < _LATIN and ord(letter) not in _CONTROLS


@lru_cache(maxsize=1 << 17)
def _is_shown(letter: str) -> bool:
    """Ask Typst, which refuses to make an accessible PDF with a letter that nobody can read."""
    if ord(letter) < _LATIN:
        return _is_latin(letter)
    try:
        typst.compile(
            _ASKS,
            format="pdf",
            ignore_system_fonts=True,
            sys_inputs={"letter": letter},
            pdf_standards="ua-1",
            timestamp=0,
        )
    except RuntimeError:
        return False
    return True
