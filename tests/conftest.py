"""Fixtures live in plugin modules by what they give; this file only lists them.

A plugin that is not written yet is not listed, so that each room's tests can run before the whole house stands.
"""

from importlib.util import find_spec

_PLUGINS = ("sockets", "samples", "db", "web", "chromium", "portales")

pytest_plugins = [name for plugin in _PLUGINS if find_spec(name := f"tests.plugins.{plugin}")]
