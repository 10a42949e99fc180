"""Fixtures live in plugin modules by what they give; this file only registers all of them."""

from pathlib import Path

pytest_plugins = [
    f"tests.plugins.{path.stem}" for path in sorted((Path(__file__).parent / "plugins").glob("[a-z]*.py"))
]
