"""dockerslim-lint: lint, slim and prove the Dockerfiles of Rust projects."""

__version__ = "0.1.0"
