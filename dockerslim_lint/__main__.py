"""The program's entry point: ``dockerslim-lint``, ``python -m dockerslim_lint``."""

from __future__ import annotations

import gc
import os
import sys
import threading
from importlib import import_module
from types import ModuleType
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line. Ends with one of its exit codes."""
    # a short life with many small tuples and hardly a cycle: looking for cycles all the time costs a fifth of it
    gc.set_threshold(100_000)
    _load_when_used("inspect")  # click imports it; with what it imports itself, a twelfth of a small run
    try:
        from dockerslim_lint import cli

        cli.main()
    except KeyboardInterrupt:  # while the modules are loaded: what runs later is ended by the command line itself
        sys.stderr.write("dockerslim-lint: interrupted\n")
        sys.exit(130)
    except SystemExit as end:
        _leave(end)


def _load_when_used(name: str) -> None:
    """Have a module of the standard library loaded by the first look into it, not by its import.

    importlib's LazyLoader does not do: from the second ``import`` of a name on, that statement is a look into the module.
    """

    def look(attribute: str) -> object:
        if sys.modules.get(name) is placeholder:
            sys.modules.pop(name, None)
        return getattr(import_module(name), attribute)

    if name not in sys.modules:
        sys.modules[name] = placeholder = ModuleType(name)
        placeholder.__getattr__ = look  # type: ignore[method-assign]


def _leave(end: SystemExit) -> NoReturn:
    """End the process without taking the interpreter apart, a tenth of a small run, where nothing waits for that.

    The command line has flushed what it wrote. Worker processes and threads have something to tidy up: then as usual.
    """
    if isinstance(end.code, int) and "multiprocessing" not in sys.modules and threading.active_count() == 1:
        os._exit(end.code)
    raise end


if __name__ == "__main__":
    main()
