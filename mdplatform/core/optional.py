"""Packages that an installation may lack: the server's image leaves out what only analysts use."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from mdplatform.core.errors import ConfigError


def needed(module: str) -> ModuleType:
    """The module. Raises ConfigError where a package that it needs is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise ConfigError(
            f"this needs {missing}, which is not installed here (the server's image leaves it out): "
            f"pip install {missing}, or ask from a machine that has it"
        ) from error
