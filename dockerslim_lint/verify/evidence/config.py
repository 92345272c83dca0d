"""Evidence for "config kept": the configurations of the old and the new image, compared field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dockerslim_lint.edit import ConfigChange
from dockerslim_lint.record import Record
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict


class BaseConfig(Record):
    """What a base image brings along, as far as it is known; None stands for "not known". `env` has ``NAME=value``."""

    env: tuple[str, ...] | None = None
    labels: tuple[tuple[str, str], ...] | None = None
    cmd: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    workdir: str | None = None
    user: str | None = None


class Difference(Record):
    """One field that differs (``Cmd``, ``Env PATH``). `source` says where from; "" if nothing explains it. Values None: absent."""

    field: str
    old: object
    new: object
    source: str

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.old)} → {_shown(self.new)}" + (f" ({self.source})" if self.source else "")


_LISTS = ("Entrypoint", "Cmd", "Shell", "OnBuild")
_SETS = ("ExposedPorts", "Volumes")
_TEXTS = ("User", "WorkingDir", "StopSignal")
_TOOLCHAIN = frozenset(
    {"RUSTUP_HOME", "CARGO_HOME", "RUST_VERSION", "RUSTUP_DIST_SERVER", "RUSTUP_UPDATE_ROOT", "RUSTUP_VERSION"}
)
"""What images of the Rust toolchain set; a program does not read it."""
_CERTIFICATES = frozenset({"SSL_CERT_FILE"})
_STANDARD_PATH = frozenset({f"{root}/{name}" for root in ("", "/usr", "/usr/local") for name in ("bin", "sbin")})
_BASE_LABELS = frozenset({"org.opencontainers.image.ref.name", "org.opencontainers.image.version"})
_BUILDER_LABELS = frozenset({"io.buildah.version"})
_SHELLS: tuple[object, ...] = (None, ("bash",), ("/bin/bash",), ("sh",), ("/bin/sh",), ("/bin/ash",))
_LOOSE = frozenset({"ExposedPorts", "Volumes", "OnBuild", "Shell"})
"""Fields whose text in a Dockerfile is not that of the config: of a declared change only absence and presence are checked."""


def judge_config(
    platform: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    old_base: BaseConfig | None = None,
    new_base: BaseConfig | None = None,
    changes: tuple[ConfigChange, ...] = (),
) -> Evidence:
    """HOLDS if each difference comes from a base or was declared; `old` and `new` are the ``config`` parts of OCI configs."""
    found = differences(old, new, old_base or BaseConfig(), new_base or BaseConfig(), changes)
    unexplained = [difference for difference in found if not difference.source]
    lines = tuple(map(str, found))
    if unexplained:
        more = f" (and {len(unexplained) - 1} more)" if len(unexplained) > 1 else ""
        return Evidence("config kept", platform, Verdict.FAILS, f"{unexplained[0]}: nothing explains this{more}", lines)
    names = ", ".join(difference.field.removeprefix("Env ") for difference in found)
    return Evidence("config kept", platform, Verdict.HOLDS, f"unchanged but {names}" if found else "unchanged", lines)


def differences(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    old_base: BaseConfig,
    new_base: BaseConfig,
    changes: tuple[ConfigChange, ...],
) -> tuple[Difference, ...]:
    """All fields that differ, each with what explains it; spellings of one meaning are no difference."""
    result: list[Difference] = []
    for field in (*_LISTS, *_SETS, *_TEXTS, "Healthcheck"):
        before, after = _value(field, old), _value(field, new)
        if before != after:
            result.append(
                Difference(
                    field,
                    before,
                    after,
                    _declared(field, before, after, changes) or _from_base(field, before, after, old_base, new_base),
                )
            )
    old_env, new_env = _environment(old.get("Env")), _environment(new.get("Env"))
    for name in _changed(old_env, new_env):
        one, other = old_env.get(name), new_env.get(name)
        source = _declared(f"Env:{name}", one, other, changes) or _environment_source(
            name, one, other, old_base, new_base
        )
        result.append(Difference(f"Env {name}", one, other, source))
    old_labels, new_labels = _labels(old.get("Labels")), _labels(new.get("Labels"))
    for name in _changed(old_labels, new_labels):
        one, other = old_labels.get(name), new_labels.get(name)
        source = _declared(f"Labels:{name}", one, other, changes) or _label_source(name, one, other, old_base, new_base)
        result.append(Difference(f"Label {name}", one, other, source))
    return tuple(result)


def _value(field: str, config: Mapping[str, Any]) -> object:
    """A field's value with one spelling for one meaning; None for absent."""
    value = config.get(field)
    if field in _LISTS:
        return tuple(map(str, value)) if isinstance(value, list) and value else None
    if field in _SETS:
        if not isinstance(value, dict) or not value:
            return None
        names = (str(name) for name in value)
        return tuple(sorted({name if field == "Volumes" or "/" in name else f"{name}/tcp" for name in names}))
    if field == "User":
        text = str(value or "")
        name, _, group = text.partition(":")
        return None if name in ("", "0", "root") and group in ("", "0", "root") else text
    if field == "WorkingDir":
        return (str(value or "").rstrip("/")) or None
    if field == "Healthcheck":
        return (
            json.dumps({k: v for k, v in value.items() if v}, sort_keys=True)
            if isinstance(value, dict) and value.get("Test")
            else None
        )
    return str(value) if value else None


def _environment(value: object) -> dict[str, str]:
    items = value if isinstance(value, list) else []
    return dict(str(item).partition("=")[::2] for item in items)


def _labels(value: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items() if k not in _BUILDER_LABELS} if isinstance(value, dict) else {}


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]


# -- explanations -----------------------------------------------------------------------------------------------------


def _from_base(field: str, before: object, after: object, old_base: BaseConfig, new_base: BaseConfig) -> str:
    """Only a command is inherited without harm; another user or directory must be said in the file, or declared."""
    if field == "Cmd":
        known = old_base.cmd is not None and new_base.cmd is not None
        if known and (before or ()) == old_base.cmd and (after or ()) == new_base.cmd:
            return "inherited from the base"
        if not known and before in _SHELLS and after in _SHELLS:
            return "the base's shell"
    if field == "Entrypoint" and before is None and after is not None and after == (old_base.entrypoint or ()):
        return "inherited from the base"
    return ""


def _environment_source(name: str, old: str | None, new: str | None, old_base: BaseConfig, new_base: BaseConfig) -> str:
    before, after = _environment(list(old_base.env or ())).get(name), _environment(list(new_base.env or ())).get(name)
    known = old_base.env is not None and new_base.env is not None
    if known and old == before and new == after:
        return "from the base"
    if before and after and old is not None and old.replace(before, after) == new:
        return "from the base"
    if name in _TOOLCHAIN and new in (None, after):
        return "from the old base"
    if name in _CERTIFICATES and old is None and (after is None or new == after):
        return "from the new base"
    if name == "PATH" and _same_search(old or "", new or ""):
        return "from the base"
    return ""


def _same_search(old: str, new: str) -> bool:
    """Whether two PATHs differ in nothing but what bases put there: the standard directories and the toolchain's."""
    return [part for part in old.split(":") if not _of_base(part)] == [
        part for part in new.split(":") if not _of_base(part)
    ]


def _of_base(directory: str) -> bool:
    return (
        not directory
        or directory in _STANDARD_PATH
        or directory in ("/usr/local/cargo/bin", "/root/.cargo/bin", "/opt/cargo/bin", "/busybox")
    )


def _label_source(name: str, old: str | None, new: str | None, old_base: BaseConfig, new_base: BaseConfig) -> str:
    if old_base.labels is not None and new_base.labels is not None:
        inherited = old == dict(old_base.labels).get(name) and new == dict(new_base.labels).get(name)
        return "from the base" if inherited else ""
    return "from the old base" if name in _BASE_LABELS and new is None else ""


# -- declared changes -------------------------------------------------------------------------------------------------


def _declared(field: str, before: object, after: object, changes: tuple[ConfigChange, ...]) -> str:
    """The reason of the declared change that says just this; "" if there is none."""
    for change in changes:
        same_field = change.field == field or (
            field.startswith("Labels:") and change.field == f"Label:{field.removeprefix('Labels:')}"
        )
        if same_field and _says(change.old, field, before) and _says(change.new, field, after):
            return f"declared: {change.reason}"
    return ""


def _says(text: str, field: str, value: object) -> bool:
    """Whether `text`, as it would stand in a Dockerfile, means `value`. What has a variable in it cannot be told."""
    text = text.strip()
    if not text or value is None or field in _LOOSE:
        meaning = _value(field, {field: text}) if field in _TEXTS else text or None
        return (meaning is None) == (value is None)
    if "$" in text:
        return True
    if field == "Healthcheck":
        return _healthcheck_says(text, str(value))
    if field in _LISTS:
        return (
            _words(text) == value
            or ("/bin/sh", "-c", text) == value
            or (isinstance(value, tuple) and " ".join(value[2:]) == text)
        )
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    return (_value(field, {field: text}) if field in _TEXTS else text) == value


def _healthcheck_says(text: str, value: str) -> bool:
    """Whether the command of a HEALTHCHECK (its times aside) is that of the config's `value`."""
    command = re.sub(r"^(?:--\S+\s+)*(?:CMD\s+)?", "", text, flags=re.IGNORECASE)
    test = json.loads(value).get("Test")
    words = tuple(map(str, test)) if isinstance(test, list) else ()
    return words in ((command.upper(),), ("CMD", *(_words(command) or ())), ("CMD-SHELL", command))


def _words(text: str) -> tuple[str, ...] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return tuple(map(str, value)) if isinstance(value, list) else None


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else str(value)
