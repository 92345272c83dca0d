"""What the program knows of the world: TOML data with a source for every row, and one typed view module for each file.

`certainty` says how a row is known: ``tried`` (by hand), ``read`` (in the repository or page named as its source) or
``believed`` (not checked). A believed fact may steer a suggestion, never an edit that is applied without proof.
Every file is loaded at its first lookup, never at import.
"""
