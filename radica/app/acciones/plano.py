"""The blueprint of the filings; the modules of its routes add themselves to it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("radicacion", __name__, url_prefix="/radicacion")
