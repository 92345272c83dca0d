"""``python -m dockerslim_lint``."""

from dockerslim_lint.cli import main

if __name__ == "__main__":
    main()
