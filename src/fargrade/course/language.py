"""Translation of every text a learner reads, from `.po` files as translators keep them.

The catalogues are read at run time (polib), so a translation needs no build step: the harness's own
is `src/fargrade/locale/LANG.po`, a grader's is `test_NN_slug.LANG.po` beside it.
"""

from __future__ import annotations

from pathlib import Path

SOURCE_LANGUAGE = "en"
HARNESS_CATALOGUES = Path(__file__).resolve().parent.parent / "locale"

_current = SOURCE_LANGUAGE
_texts: dict[str, str] = {}
_loaded: set[Path] = set()


def languages() -> list[str]:
    """The languages the harness itself speaks, English first."""
    return [SOURCE_LANGUAGE, *sorted(path.stem for path in HARNESS_CATALOGUES.glob("*.po"))]


def use_language(language: str) -> None:
    """Speak `language` from now on. Raises ValueError, with the choices, for one that is not there."""
    global _current
    if language not in languages():
        raise ValueError(
            translate(
                "There is no language {language!r}: choose one of {languages}.",
                language=language,
                languages=", ".join(languages()),
            )
        )
    _current = language
    _texts.clear()
    _loaded.clear()
    if language != SOURCE_LANGUAGE:
        load_catalogue(HARNESS_CATALOGUES / f"{language}.po")


def current_language() -> str:
    """The language in use, as its two-letter code."""
    return _current


def load_catalogue_beside(grader: Path) -> None:
    """Add the translations that stand beside `grader` (test_06_lifecycle.py → test_06_lifecycle.ru.po)."""
    if _current != SOURCE_LANGUAGE:
        load_catalogue(grader.with_suffix(f".{_current}.po"))


def load_catalogue(path: Path) -> None:
    """Add the translations in `path`, once; a file that is not there adds nothing."""
    if path in _loaded or not path.is_file():
        return
    import polib  # only a translated run pays for it

    _loaded.add(path)
    _texts.update({entry.msgid: entry.msgstr for entry in polib.pofile(str(path)) if entry.translated()})


def translate(text: str, /, **values: object) -> str:
    """`text` in the current language (itself where there is no translation), with `{name}` filled in."""
    translated = _texts.get(text, text)
    return translated.format(**values) if values else translated
