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
_loaded: dict[Path, dict[str, str]] = {}
_beside: dict[str, str] = {}


def languages() -> list[str]:
    """The languages the harness itself speaks, English first."""
    return [SOURCE_LANGUAGE, *sorted(path.stem for path in HARNESS_CATALOGUES.glob("*.po"))]


def use_language(language: str) -> None:
    """Speak `language` from now on. Raises ValueError, with the choices, for one that is not there."""
    global _current, _beside
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
    _beside = {}
    if language != SOURCE_LANGUAGE:
        load_catalogue(HARNESS_CATALOGUES / f"{language}.po")


def current_language() -> str:
    """The language in use, as its two-letter code."""
    return _current


def load_catalogue_beside(grader: Path) -> None:
    """Prefer the translations that stand beside `grader` (test_06_lifecycle.py → test_06_lifecycle.ru.po) from now on.

    Two graders may say the same English of different things ("it was {state}": a task, a load balancer), for which
    another language has different words. So the grader at work has the first word; the others' texts stay known.
    """
    global _beside
    if _current != SOURCE_LANGUAGE:
        _beside = load_catalogue(grader.with_suffix(f".{_current}.po"))


def load_catalogue(path: Path) -> dict[str, str]:
    """Add the translations in `path`, once, and return them; a file that is not there adds nothing."""
    if path not in _loaded:
        _loaded[path] = _read(path) if path.is_file() else {}
        for text, translated in _loaded[path].items():
            _texts.setdefault(text, translated)
    return _loaded[path]


def _read(path: Path) -> dict[str, str]:
    import polib  # only a translated run pays for it

    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(path)) if entry.translated()}


def translate(text: str, /, **values: object) -> str:
    """`text` in the current language (itself where there is no translation), with `{name}` filled in."""
    translated = _beside.get(text) or _texts.get(text, text)
    return translated.format(**values) if values else translated
