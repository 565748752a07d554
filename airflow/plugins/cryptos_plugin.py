"""
The page Quota inside the Airflow UI: `/cryptos/quota`, in the navigation as an external view. Every route asks for Airflow's login.

`airflow.api_fastapi.core_api.security` is not a documented interface: the version is pinned, and a test asks each route anonymously.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlparse

from airflow.api_fastapi.core_api.security import requires_authenticated
from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin
from cryptos_catalog import CatalogError, dag_ids, load_catalog
from cryptos_quota import QuotaReader, ask_program, moment, number, run_link
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader

PAGE = Path(__file__).resolve().parent / 'cryptos_page'
#: Nothing from elsewhere, nothing inline; only Airflow itself may frame it.
HEADERS = {
    'Content-Security-Policy': "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
}

app = FastAPI(
    title='cryptos',
    dependencies=[Depends(requires_authenticated())],
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
)
reader = QuotaReader(ask_program)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    templates.filters.update(number=number, moment=moment)
    return templates


@cache
def _known_dags() -> frozenset[str]:
    try:
        return frozenset(dag_ids(load_catalog()))
    except CatalogError:
        return frozenset()


def _base() -> str:
    """The path below which Airflow is served: empty but behind a proxy that gives it a folder."""
    return urlparse(conf.get('api', 'base_url', fallback='') or '').path.rstrip('/')


@app.get('/quota')
def quota_page() -> HTMLResponse:
    """The page; what the program could not say is a sentence on it."""
    answer = reader.read()
    status = answer.status or {}
    html = _templates().get_template('quota.html')
    base, known = _base(), _known_dags()
    return HTMLResponse(
        html.render(
            has_numbers=answer.status is not None,
            problem=answer.problem,
            at=status.get('at'),
            scopes=status.get('scopes') or [],
            skips=status.get('skips') or [],
            base=base,
            link=lambda dag, run: run_link(base, dag, run, known),
        ),
        headers=HEADERS,
    )


@app.get('/quota.json')
def quota_json() -> JSONResponse:
    """What the program said, unchanged; 503 with the sentence while it says nothing new."""
    answer = reader.read()
    content = {'problem': answer.problem, 'status': answer.status}
    return JSONResponse(content, status_code=503 if answer.problem else 200, headers=HEADERS)


def _file(name: str, media_type: str) -> Response:
    return Response((PAGE / name).read_bytes(), media_type=media_type, headers=HEADERS)


@app.get('/quota.css')
def quota_css() -> Response:
    return _file('quota.css', 'text/css')


@app.get('/quota.js')
def quota_js() -> Response:
    return _file('quota.js', 'text/javascript')


@app.get('/quota.svg')
def quota_svg() -> Response:
    return _file('quota.svg', 'image/svg+xml')


@app.get('/quota-dark.svg')
def quota_dark_svg() -> Response:
    return _file('quota-dark.svg', 'image/svg+xml')


class CryptosPlugin(AirflowPlugin):
    name = 'cryptos'
    fastapi_apps = [{'app': app, 'url_prefix': '/cryptos', 'name': 'cryptos'}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            'name': 'Quota',
            'href': '/cryptos/quota',
            'destination': 'nav',
            'url_route': 'quota',
            'nav_top_level': True,
            'icon': '/cryptos/quota.svg',
            'icon_dark_mode': '/cryptos/quota-dark.svg',
        }
    ]
