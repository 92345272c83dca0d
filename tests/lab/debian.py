"""Debian packages as raw material: an apt of the lab's own for either suite and architecture, and roots made with it.

The mirror is whatever this machine's own apt uses: asked of apt, never written here. Nothing changes in the machine's
own apt or dpkg.
"""

import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.lab.store import LabError, digest, in_root, lab_dir, run

CPU = {"amd64": "x86_64", "arm64": "aarch64"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
NO_DOCS = [f"/usr/share/{d}/*" for d in ("doc", "man", "info", "locale", "lintian", "groff", "linda")]

_apt_locks: dict[str, threading.Lock] = {}
_apt_files = threading.Lock()


@dataclass(frozen=True, order=True)
class Deb:
    """One package file as apt names it."""

    file: str
    sha256: str


@cache
def mirrors() -> tuple[str, str]:
    """(main, security) as this machine's apt has them for any Debian suite."""
    main = security = ""
    for line in run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN)").splitlines():
        uri, release, *origin = line.split(" ", 2)
        if "Debian" not in origin:
            continue
        if release.endswith("-security"):
            security = security or uri
        elif re.fullmatch(r"(bookworm|trixie|stable|oldstable)(-updates)?", release):
            main = main or uri
    if not main:
        raise LabError(
            "apt has no Debian source (or no lists yet: apt-get update); the lab takes its mirror from there"
        )
    return main, security or re.sub(r"/debian/?$", "/debian-security/", main)


def sources(suite: str) -> str:
    """The suite's sources in deb822 form, as they also stand in the images."""
    main, security = mirrors()
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n"
        for uri, suites in ((main, f"{suite} {suite}-updates"), (security, f"{suite}-security"))
    )


def _apt(suite: str, arch: str) -> Path:
    """The configuration file of the apt for this suite and architecture; written if it isn't as it should be."""
    home = lab_dir() / "apt" / f"{suite}-{arch}"
    config = home / "apt.conf"
    for folder in (
        "etc/apt.conf.d",
        "etc/preferences.d",
        "etc/sources.list.d",
        "etc/trusted.gpg.d",
        "state/lists/partial",
        "archives/partial",
        "none/partial",
    ):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    # never rewritten as it is: another thread's apt may be reading it
    _write_if_other(home / "etc/sources.list.d/debian.sources", sources(suite))
    # what this machine needs to reach its mirror (a proxy, an authority) goes along; its hooks and clean-ups do not
    dump = run("apt-config", "dump").splitlines()
    own = [line for line in dump if re.match(r"Acquire::(https?::|Retries)", line)]
    values = {
        "Dir::Etc": home / "etc",
        "Dir::State": home / "state",
        "Dir::State::status": home / "status",
        "Dir::Cache": home,
        "Dir::Cache::archives": home / "archives",
        "APT::Architecture": arch,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Acquire::ForceHash": "SHA256",
        "Acquire::Languages": "none",
    }
    text = "\n".join([*own, *(f'{k} "{v}";' for k, v in values.items()), f'APT::Architectures {{ "{arch}"; }};', ""])
    _write_if_other(config, text)
    return config


def _write_if_other(file: Path, text: str) -> None:
    with _apt_files:
        if not file.exists() or file.read_text() != text:
            file.write_text(text)


def refresh(suite: str, arch: str, *, force: bool = False) -> None:
    """Fetch the suite's package lists if there are none yet.

    They are kept: what is cached was made from them. `force` gets new ones.
    """
    config = _apt(suite, arch)
    stamp = config.with_name("updated")
    if force or not stamp.exists():
        run("apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any", env={"APT_CONFIG": str(config)})
        stamp.write_text(digest(*(p.read_text() for p in sorted((config.parent / "state/lists").glob("*InRelease")))))


def plan(suite: str, arch: str, *packages: str, status: Path | None = None) -> list[Deb]:
    """The package files that `apt-get install` would fetch for these packages onto nothing (or onto `status`)."""
    config = _apt(suite, arch)
    if status is None:
        memo = config.with_name(f"plan-{digest(config.with_name('updated').read_text(), packages)}.json")
        if memo.exists():
            return [Deb(*d) for d in json.loads(memo.read_text())]
    options = ["-o", f"Dir::Cache::archives={config.parent / 'none'}", "-o", "Debug::NoLocking=true"]
    options += ["-o", f"Dir::State::status={status}"] if status else []
    out = run("apt-get", *options, "install", "-y", "-q", "--print-uris", *packages, env={"APT_CONFIG": str(config)})
    debs = sorted(Deb(f, s) for f, s in re.findall(r"^'\S+' (\S+) \d+ SHA256:(\S+)$", out, re.M))
    if not debs and status is None:
        raise LabError(f"apt names no files for {' '.join(packages)}: {out[-500:]}")
    if status is None:
        for old in config.parent.glob("plan-*.json"):
            if old.stat().st_mtime < config.with_name("updated").stat().st_mtime:
                old.unlink(missing_ok=True)
        memo.write_text(json.dumps([[d.file, d.sha256] for d in debs]))
    return debs


def fetch(suite: str, arch: str, *packages: str, status: Path | None = None) -> list[Path]:
    """Download what `plan` names; the files' paths."""
    config = _apt(suite, arch)
    debs = plan(suite, arch, *packages, status=status)
    with _apt_locks.setdefault(config.parent.name, threading.Lock()):
        options = ["-o", f"Dir::State::status={status}"] if status else []
        run("apt-get", *options, "install", "-y", "-q", "--download-only", *packages, env={"APT_CONFIG": str(config)})
    return [config.parent / "archives" / d.file for d in debs]


def unpack(debs: Sequence[Path], root: Path, *, keep: Callable[[str], bool] | None = None) -> None:
    """Only the files, no maintainer scripts; on a root with /bin -> usr/bin and the like, the links are kept."""
    excludes = [f"--exclude=.{pattern}" for pattern in NO_DOCS]
    for deb in debs:
        if keep is None or keep(deb.name.split("_")[0]):
            script = 'dpkg-deb --fsys-tarfile "$1" | tar -xp --keep-directory-symlink --wildcards -C "$2" "${@:3}"'
            run("bash", "-o", "pipefail", "-ec", script, "_", deb, root, *excludes)


def merged_usr(root: Path, arch: str) -> None:
    for name in ["bin", "sbin", "lib", *(["lib64"] if arch == "amd64" else [])]:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")


def loose_root(suite: str, arch: str, root: Path, *packages: str) -> None:
    """Packages and all they need, unpacked and not configured: enough to chroot and run programs of."""
    merged_usr(root, arch)
    unpack(fetch(suite, arch, *ESSENTIAL, *packages), root)
    for folder in ("proc", "sys", "dev", "run", "tmp", "root"):
        (root / folder).mkdir(exist_ok=True)
    base_passwd = root / "usr/share/base-passwd"
    for name in ("passwd", "group"):
        (root / "etc" / name).write_text((base_passwd / f"{name}.master").read_text())


ESSENTIAL = ["?essential"]


# As in Debian's own images: without these a layer keeps the package files that its RUN downloaded.
CLEANING = "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"
APT_IN_IMAGES = {
    "docker-clean": f'DPkg::Post-Invoke {{ "{CLEANING}"; }};\nAPT::Update::Post-Invoke {{ "{CLEANING}"; }};\n'
    'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n',
    "docker-no-languages": 'Acquire::Languages "none";\n',
    "docker-gzip-indexes": 'Acquire::GzipIndexes "true";\n',
    "docker-autoremove-suggests": 'Apt::AutoRemove::SuggestsImportant "false";\n',
}


class Root:
    """A real Debian root: dpkg's own records, every package configured. It grows by `install`.

    Packages for another architecture are unpacked by this machine's dpkg, at native speed, and configured by the
    root's own, under emulation.
    """

    def __init__(self, suite: str, arch: str, folder: Path) -> None:
        self.suite, self.arch, self.folder = suite, arch, folder
        self.status = folder / "var/lib/dpkg/status"

    def bootstrap(self) -> None:
        root = self.folder
        merged_usr(root, self.arch)
        for folder in (
            "var/lib/dpkg/info",
            "var/lib/dpkg/updates",
            "var/lib/dpkg/triggers",
            "etc/apt/sources.list.d",
            "etc/apt/apt.conf.d",
            "etc/dpkg/dpkg.cfg.d",
            "proc",
            "dev",
            "tmp",
        ):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "tmp").chmod(0o1777)
        self.status.touch()
        (root / "var/lib/dpkg/available").touch()
        (root / "etc/apt/sources.list.d/debian.sources").write_text(sources(self.suite))
        excludes = [f"path-exclude {p}" for p in NO_DOCS] + ["path-include /usr/share/doc/*/copyright"]
        (root / "etc/dpkg/dpkg.cfg.d/docker").write_text("\n".join([*excludes, ""]))
        (root / "etc/dpkg/dpkg.cfg.d/docker-apt-speedup").write_text("force-unsafe-io\n")
        for name, text in APT_IN_IMAGES.items():
            (root / "etc/apt/apt.conf.d" / name).write_text(text)
        debs = fetch(self.suite, self.arch, *ESSENTIAL, "usr-is-merged")
        unpack(debs, root)
        if not (root / "usr/bin/awk").exists():
            (root / "usr/bin/awk").symlink_to("mawk")
        for name in ("passwd", "group"):
            (root / "etc" / name).write_text((root / f"usr/share/base-passwd/{name}.master").read_text())
        self._install(debs, first=["base-passwd", "base-files"])

    def install(self, *packages: str) -> None:
        self._install(fetch(self.suite, self.arch, *packages, status=self.status))

    def _install(self, debs: Sequence[Path], first: Sequence[str] = ()) -> None:
        root = self.folder
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        foreign = root / "var/lib/dpkg/arch"
        here = run("dpkg", "--print-architecture").strip()
        if here != self.arch:
            foreign.write_text(f"{here}\n{self.arch}\n")
        excludes = [f"--path-exclude={p}" for p in NO_DOCS]
        script = 'root=$1; shift; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; exec dpkg --root="$root" "$@"'
        command = [
            "--force-depends",
            "--force-architecture",
            "--force-unsafe-io",
            "--force-confnew",
            *excludes,
            "--unpack",
            *map(str, debs),
        ]
        frontend = {
            "DEBIAN_FRONTEND": "noninteractive",
            "DEBCONF_NONINTERACTIVE_SEEN": "true",
            "SOURCE_DATE_EPOCH": "1767225600",
        }
        run(
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "bash",
            "-ec",
            script,
            "_",
            root,
            *command,
            env={**frontend, "LC_ALL": "C.UTF-8"},
        )
        foreign.unlink(missing_ok=True)
        configure = ["dpkg", "--force-unsafe-io", "--configure"]
        for package in first:
            in_root(root, "dpkg", "--force-depends", "--force-unsafe-io", "--configure", package, env=frontend)
        in_root(root, *configure, "-a", env=frontend)
        policy.unlink()
        self.tidy()

    def tidy(self) -> None:
        """Drop what a package manager leaves and an image doesn't need."""
        root = self.folder
        for pattern in (
            "var/log/*.log",
            "var/log/apt/*",
            "var/cache/ldconfig/aux-cache",
            "var/cache/debconf/*-old",
            "var/lib/dpkg/*-old",
            "var/cache/apt/*.bin",
        ):
            for left in root.glob(pattern):
                left.unlink()
