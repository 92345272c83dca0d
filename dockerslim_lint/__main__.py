"""The program's entry point: ``dockerslim-lint``, ``python -m dockerslim_lint``."""

from __future__ import annotations

import gc
import os
import sys
import threading
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line. Ends with one of its exit codes."""
    # a short life with many small tuples and hardly a cycle: looking for cycles all the time costs a fifth of it
    gc.set_threshold(100_000)
    try:
        from dockerslim_lint import cli

        cli.main()
    except KeyboardInterrupt:  # while the modules are loaded: what runs later is ended by the command line itself
        sys.stderr.write("dockerslim-lint: interrupted\n")
        sys.exit(130)
    except SystemExit as end:
        _leave(end)


def _leave(end: SystemExit) -> NoReturn:
    """End the process without taking the interpreter apart, a tenth of a small run, where nothing waits for that.

    The command line has flushed what it wrote. Worker processes and threads have something to tidy up: then as usual.
    """
    if isinstance(end.code, int) and "multiprocessing" not in sys.modules and threading.active_count() == 1:
        os._exit(end.code)
    raise end


if __name__ == "__main__":
    main()
