"""The page over HTTP: an ASGI application, for this machine's browsers alone."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from go_live.config import Config
from go_live.monitor.live.reading import Reader
from go_live.monitor.live.view import View, view

HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names by which the page may be asked: another site's script that found the port has another one."""
REPORT, OWN = "go_live.report", "go_live.monitor.live"
NEVER_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


class Page:
    """The routes."""

    def __init__(self, reader: Reader, config: Config) -> None:
        """Show what ``reader`` reads."""
        self._reader, self._config = reader, config
        self.asgi = Starlette(
            routes=[Route("/", self._whole), Route("/parts", self._parts), Route("/favicon.ico", self._no_icon)],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
        )

    async def _whole(self, request: Request) -> Response:
        css, script = style(), _file(OWN, "live.js")
        text = (
            _templates()
            .get_template("live.html.j2")
            .render(
                parts=parts(self._view(request)),
                view=self._view(request),
                every_s=self._config.dashboard.page_every_s,
                css=Markup(css),  # noqa: S704 - ships with the package
                script=Markup(script),  # noqa: S704 - likewise
            )
        )
        policy = (
            f"default-src 'none'; style-src 'sha256-{_digest(css)}'; script-src 'sha256-{_digest(script)}'; "
            "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(text, headers={**NEVER_KEPT, "Content-Security-Policy": policy})

    async def _parts(self, request: Request) -> Response:
        seen = self._view(request)
        content = {
            "parts": parts(seen),
            "word": seen.standing.word,
            "tone": seen.standing.tone,
            "age_s": seen.age_s,
            "stale": seen.stale,
        }
        return JSONResponse(content, headers=NEVER_KEPT)

    async def _no_icon(self, _: Request) -> Response:
        return Response(status_code=204)

    def _view(self, request: Request) -> View:
        endpoint = request.query_params.get("endpoint", self._config.endpoint.id)
        reader = self._reader
        return view(self._config, reader.history, endpoint, reader.heard, reader.clock(), source=reader.url)


def parts(seen: View) -> Mapping[str, str]:
    """HTML of each part of the page that changes, by its id."""
    template = _templates().get_template("parts.html.j2").module
    named = {section.key: str(template.section(section, drawn)) for section in seen.sections}  # type: ignore[attr-defined]
    return {"answer": str(template.answer(seen)), **named}  # type: ignore[attr-defined]


def drawn(svg: str) -> Markup:
    """A drawing, which this package has built and escaped."""
    return Markup(svg)  # noqa: S704 - as said


@cache
def style() -> str:
    """The report's style sheet and the page's own."""
    return _file(REPORT, "report.css") + _file(OWN, "live.css")


@cache
def _file(package: str, name: str) -> str:
    return resources.files(package).joinpath("templates", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader(OWN),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
