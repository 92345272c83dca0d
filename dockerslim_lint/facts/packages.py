"""Package managers' command lines."""

from __future__ import annotations

from dockerslim_lint.facts.model import Command, PackageInstall

INSTALLERS = {
    "apt-get": ("apt", {"install"}),
    "apt": ("apt", {"install"}),
    "aptitude": ("apt", {"install"}),
    "apk": ("apk", {"add"}),
    "dnf": ("dnf", {"install"}),
    "microdnf": ("dnf", {"install"}),
    "yum": ("dnf", {"install"}),
    "tdnf": ("dnf", {"install"}),
    "zypper": ("zypper", {"install", "in"}),
}
"""Program → family of package names, and its words for installing."""

VALUE_FLAGS = frozenset(
    {"-t", "--target-release", "-o", "--option", "-c", "--config-file", "--virtual", "-X", "--repository"}
)
"""Flags whose value is the next word (apt-get(8), apk-add(8))."""


def manager_of(command: Command) -> str:
    """The family of the package manager that is called, "" if none is."""
    return INSTALLERS[command.name][0] if command.name in INSTALLERS else ""


def read_install(command: Command) -> PackageInstall | None:
    """The packages that a command installs; None where it installs none. Versions (``=1.2``, ``/suite``) are cut off."""
    if command.name not in INSTALLERS:
        return None
    family, verbs = INSTALLERS[command.name]
    verb = ""
    packages: list[str] = []
    skip = False
    for word in command.words[1:]:
        text = word.pattern
        if skip:
            skip = False
        elif text.startswith("-"):
            skip = text in VALUE_FLAGS
        elif not verb:
            verb = text
        else:
            packages.append(text.partition("=")[0].partition("/")[0])
    return PackageInstall(command, family, tuple(packages)) if verb in verbs and packages else None
