"""Which characters the fonts inside Typst can show; others are written by their number."""

from __future__ import annotations

from functools import lru_cache

import typst

FONT = "Libertinus Serif"
"""Inside the package `typst`; no font of the machine is looked at."""

_LATIN = 0x250
"""Characters below are in the font."""

_ASKS = f'#set document(title: "-")\n#set text(font: "{FONT}")\n#sys.inputs.letter'.encode()


def showable(text: str) -> str:
    """Write characters that no font inside Typst holds by their number.

    Parameters
    ----------
    text : str
        Of anybody.

    Returns
    -------
    str
        The same where every character can be shown.

    Examples
    --------
    >>> showable("Ελλάδα, 株")
    'Ελλάδα, [U+682A]'
    """
    if text.isascii():
        return text
    return "".join(letter if _is_shown(letter) else f"[U+{ord(letter):04X}]" for letter in text)


@lru_cache(maxsize=4096)
def _is_shown(letter: str) -> bool:
    """Ask Typst, which refuses to make an accessible PDF with a letter that nobody can read."""
    if ord(letter) < _LATIN:
        return True
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
