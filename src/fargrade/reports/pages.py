"""Pages of HTML, each whole in itself: no file beside it, no request to anybody, and no text that becomes markup.

Everything a template prints is escaped (Jinja2's autoescape) and freed of control characters and direction
overrides; a content security policy lets no script run but ours, should an escape ever fail.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fargrade.course.language import current_language
from fargrade.reports.terminal import plain

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).resolve().parent / "templates"


def page(template: str, *, script: str = "", **values: Any) -> bytes:
    """The page as UTF-8. `script` is the name of a file of ours beside the templates."""
    from markupsafe import Markup

    code = _read(script) if script else ""
    digest = base64.b64encode(sha256(code.encode()).digest()).decode()
    policy = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'"
    if script:
        policy += f"; script-src 'sha256-{digest}'"
    text = (
        _environment()
        .get_template(template)
        .render(
            css=Markup(_read("page.css")),
            script=Markup(code),
            policy=policy,
            language=current_language(),
            **values,
        )
    )
    return text.encode("utf-8", "replace")


@lru_cache(maxsize=8)
def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _printable(value: Any) -> Any:
    """What a template prints, without what would act on whoever reads it."""
    return plain(value) if type(value) is str else value
