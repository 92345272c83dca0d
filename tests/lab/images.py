"""The stand-ins: what each image holds, and under which names Dockerfiles know it."""

import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import clones, oci, rust, shelf
from tests.lab.debian import APT_IN_IMAGES, CPU, ESSENTIAL, NO_DOCS, Root, fetch, loose_root, plan, unpack
from tests.lab.store import digest, in_root, made, run

INSIDE = Path(__file__).parent / "inside"
ALPINE = {"apk": "sbin", "adduser": "usr/sbin", "addgroup": "usr/sbin"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# apt gives maintainer scripts a PATH of its own, without /usr/local
LOCAL_FIRST = 'DPkg::Path "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";\n'

# Debian's own images: what is essential, apt, and what debootstrap calls required. No certificates, no OpenSSL.
BASE = ["apt", "debian-archive-keyring", "adduser", "passwd", "login", "mount", "tzdata", "gpgv"]
# rust:slim names exactly these
SLIM = ["ca-certificates", "gcc", "libc6-dev"]
# rust: the part of buildpack-deps that builds of Rust programs use
FULL = [
    *("autoconf", "automake", "bzip2", "curl", "dpkg-dev", "file", "g++", "git", "gnupg", "libtool", "make"),
    *("openssh-client", "patch", "pkg-config", "procps", "unzip", "wget", "xz-utils"),
    *("default-libmysqlclient-dev", "libbz2-dev", "libcurl4-openssl-dev", "libffi-dev", "liblzma-dev", "libpq-dev"),
    *("libsqlite3-dev", "libssl-dev", "zlib1g-dev"),
]
STATIC = ["base-files", "netbase", "tzdata", "tzdata-legacy", "ca-certificates", "media-types"]
CC = ["libc6", "libssl3t64", "libzstd1", "zlib1g", "libgcc-s1", "libstdc++6", "libgomp1", "gcc-14-base"]
FRONTEND = "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend@v0.13.2"
RUST_VERSIONS = [f"1.{minor}" for minor in range(70, 97)]


def machine_authorities() -> list[str]:
    """The certificates that this machine trusts beside Mozilla's: package downloads may be signed by one of them."""
    pem = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.S)
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    mozilla = Path("/usr/share/ca-certificates")
    if not bundle.exists() or not mozilla.is_dir():
        return []
    usual = {c for file in mozilla.rglob("*.crt") for c in pem.findall(file.read_text())}
    return sorted(set(pem.findall(bundle.read_text())) - usual)


def _trust(root: Path) -> None:
    folder = root / "usr/local/share/ca-certificates"
    folder.mkdir(parents=True, exist_ok=True)
    for number, certificate in enumerate(machine_authorities(), 1):
        (folder / f"machine-{number}.crt").write_text(certificate)


def _inside(script: str, folder: Path) -> None:
    (folder / script).unlink(missing_ok=True)
    shutil.copy(INSIDE / script, folder)
    (folder / script).chmod(0o755)


def _bundle(root: Path) -> None:
    """One file of all authorities, as ca-certificates' own script makes it; the script and its sources go."""
    sources = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join([*(s.read_text() for s in sources), *machine_authorities()]))


def _bare(suite: str, arch: str, home: Path) -> Root:
    """A root with what Debian's own image of that suite has."""
    home.mkdir()
    root = Root(suite, arch, home)
    root.bootstrap()
    root.install(*BASE)
    (home / "etc/hostname").unlink(missing_ok=True)
    _trust(home)
    if arch == "arm64":
        _inside("update-ca-certificates", home / "usr/local/sbin")
        (home / "etc/apt/apt.conf.d/emulation").write_text(LOCAL_FIRST)
    return root


def _bare_key(arch: str) -> tuple[object, ...]:
    script = LOCAL_FIRST + (INSIDE / "update-ca-certificates").read_text() if arch == "arm64" else ""
    return (_bare, _trust, script, Root, oci.pack, machine_authorities(), NO_DOCS, APT_IN_IMAGES, BASE)


def debian(arch: str) -> dict[str, oci.Layer]:
    """Three layers, each on the one before: base, slim (a C compiler and certificates), full (the rest of rust's)."""

    def make(out: Path) -> None:
        home = out / "root"
        root = _bare("bookworm", arch, home)
        oci.pack(home, out / "base")
        for name, packages in (("slim", SLIM), ("full", FULL)):
            before = oci.snapshot(home)
            root.install(*packages)
            oci.pack(home, out / name, since=before)
        shutil.rmtree(home)

    wanted = plan("bookworm", arch, *ESSENTIAL, "usr-is-merged", *BASE, *SLIM, *FULL)
    home = made(f"debian-{arch}", digest(make, *_bare_key(arch), SLIM, FULL, wanted), make)
    return {name: oci.packed_layer(home / name) for name in ("base", "slim", "full")}


def newer(arch: str) -> oci.Layer:
    """Debian 13's base, for programs that are put onto it; nothing is built there."""

    def make(out: Path) -> None:
        home = out / "root"
        _bare("trixie", arch, home)
        oci.pack(home, out / "base")
        shutil.rmtree(home)

    wanted = plan("trixie", arch, *ESSENTIAL, "usr-is-merged", *BASE)
    return oci.packed_layer(made(f"debian-13-{arch}", digest(make, *_bare_key(arch), wanted), make) / "base")


UBUNTUS = {"22.04": "jammy", "24.04": "noble"}


def ubuntu(version: str) -> oci.Layer:
    """What makes a Debian root say that it is (a stand-in for) a release of Ubuntu."""
    codename = UBUNTUS[version]

    def make(out: Path) -> None:
        release = out / "root/usr/lib/os-release"
        release.parent.mkdir(parents=True)
        facts = {
            "PRETTY_NAME": f"Ubuntu {version} (a stand-in made from Debian 12)",
            "NAME": "Ubuntu",
            "VERSION_ID": version,
            "VERSION_CODENAME": codename,
        }
        release.write_text(
            "".join(f'{k}="{v}"\n' for k, v in facts.items())
            + f"ID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME={codename}\n"
        )
        oci.pack(out / "root", out / "layer")

    return oci.packed_layer(made(f"ubuntu-{codename}", digest(make, version, codename, oci.pack), make) / "layer")


def rust_layer(arch: str) -> oci.Layer:
    content = rust.usr_local(arch)

    def make(out: Path) -> None:
        oci.pack(content, out / "layer")

    return oci.packed_layer(made(f"rust-layer-{arch}", digest(make, oci.pack, content.name), make) / "layer")


def distroless(arch: str) -> dict[str, oci.Layer]:
    """Two layers: static, and cc on top of it. Like the originals they are Debian packages, unpacked."""

    def make(out: Path) -> None:
        root = out / "root"
        root.mkdir()
        unpack(fetch("trixie", arch, *STATIC), root, keep=STATIC.__contains__)
        _bundle(root)
        for gone in ("usr/share/ca-certificates", "usr/sbin/update-ca-certificates"):
            run("rm", "-rf", root / gone)
        accounts = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
        (root / "etc/passwd").write_text(f"{accounts}nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n")
        (root / "etc/group").write_text("root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n")
        (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
        for folder, mode, owner in (("tmp", 0o1777, 0), ("root", 0o700, 0), ("home/nonroot", 0o700, 65532)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            (root / folder).chmod(mode)
            run("chown", f"{owner}:{owner}", root / folder)
        oci.pack(root, out / "static")
        before = oci.snapshot(root)
        unpack(fetch("trixie", arch, *CC), root, keep=CC.__contains__)
        oci.pack(root, out / "cc", since=before)
        shutil.rmtree(root)

    key = digest(
        make,
        _bundle,
        oci.pack,
        unpack,
        machine_authorities(),
        STATIC,
        CC,
        plan("trixie", arch, *STATIC),
        plan("trixie", arch, *CC),
    )
    home = made(f"distroless-{arch}", key, make)
    return {name: oci.packed_layer(home / name) for name in ("static", "cc")}


SHELF = (shelf.shelve, shelf._closure, shelf._pack, shelf.STATIC, shelf.DYNAMIC, shelf.PLACE, shelf.PRIVATE)
"""What makes alpine's shelf, for its key."""

BUSYBOX_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/sbin:/sbin/nologin\nbin:x:2:2:bin:/bin:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n",
    "etc/group": "root:x:0:root\ndaemon:x:1:\nbin:x:2:\nadm:x:4:\nusers:x:100:\nnogroup:x:65533:\nnobody:x:65534:\n",
    "etc/shadow": "root:*::0:::::\nnobody:!::0:::::\n",
}


def _busybox_root(arch: str, root: Path) -> None:
    """One static program and its links, accounts, /tmp and the usual folders."""
    for folder in (
        "bin",
        "sbin",
        "usr/bin",
        "usr/sbin",
        "usr/local/bin",
        "etc",
        "home",
        "lib",
        "proc",
        "sys",
        "dev",
        "run",
        "var/log",
        "opt",
        "mnt",
    ):
        (root / folder).mkdir(parents=True)
    debs = root / "debs"
    debs.mkdir()
    unpack(fetch("trixie", arch, "busybox-static"), debs, keep=["busybox-static"].__contains__)
    shutil.copy(next(p for p in (debs / "usr/bin/busybox", debs / "bin/busybox") if p.exists()), root / "bin/busybox")
    shutil.rmtree(debs)
    for applet in in_root(root, "/bin/busybox", "--list-full").split():
        link = root / applet
        if not link.exists() and not link.is_symlink() and link.parent.is_dir():
            link.symlink_to("/bin/busybox")
    for folder, mode in (("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700)):
        (root / folder).mkdir(parents=True)
        (root / folder).chmod(mode)
    for name, text in BUSYBOX_FILES.items():
        (root / name).write_text(text)
    (root / "etc/shadow").chmod(0o640)


def small(arch: str) -> dict[str, oci.Layer]:
    """busybox, and alpine: the same with musl's loader, certificates, accounts made by adduser, and an `apk`."""

    def make(out: Path) -> None:
        for name in ("busybox", "alpine"):
            root = out / name / "root"
            root.mkdir(parents=True)
            _busybox_root(arch, root)
            if name == "alpine":
                _alpine(arch, root)
            oci.pack(root, out / name / "layer")
            shutil.rmtree(root)

    scripts = [(name, (INSIDE / name).read_text()) for name in ALPINE]
    shelved = (*(package for package, _, _ in shelf.STATIC.values()), *shelf.DYNAMIC)
    debs = [plan("trixie", arch, p) for p in ("busybox-static", "musl", "ca-certificates", "tzdata", *shelved)]
    home = made(
        f"small-{arch}",
        digest(
            make, _busybox_root, _alpine, _bundle, BUSYBOX_FILES, oci.pack, machine_authorities(), scripts, debs, *SHELF
        ),
        make,
    )
    return {name: oci.packed_layer(home / name / "layer") for name in ("busybox", "alpine")}


def _alpine(arch: str, root: Path) -> None:
    debs = root / "debs"
    debs.mkdir()
    unpack(fetch("trixie", arch, "musl"), debs, keep=["musl"].__contains__)
    loader = f"ld-musl-{CPU[arch]}.so.1"
    shutil.copy(debs / f"usr/lib/{CPU[arch]}-linux-musl/libc.so", root / "lib" / loader)
    (root / f"lib/libc.musl-{CPU[arch]}.so.1").symlink_to(loader)
    shutil.rmtree(debs)
    unpack(fetch("trixie", arch, "ca-certificates"), root, keep=["ca-certificates"].__contains__)
    _bundle(root)
    for gone in ("usr/share/ca-certificates", "usr/sbin/update-ca-certificates"):
        run("rm", "-rf", root / gone)
    (root / "etc/ssl/cert.pem").symlink_to("certs/ca-certificates.crt")
    (root / "etc/os-release").write_text(
        'NAME="Alpine Linux"\nID=alpine\nPRETTY_NAME="Alpine (a stand-in made from Debian packages)"\n'
    )
    (root / "etc/alpine-release").write_text("3.24.0\n")
    # what `apk add tzdata` brings; it isn't there before
    zones = root / "usr/share/stand-in/tzdata"
    zones.mkdir(parents=True)
    unpack(fetch("trixie", arch, "tzdata"), zones, keep=["tzdata"].__contains__)
    shelf.shelve(arch, root)
    for script, folder in ALPINE.items():
        _inside(script, root / folder)


def go() -> tuple[str, dict[str, str]]:
    """A Go of 1.21 or newer: the machine's own, or Debian 13's unpacked."""
    if found := shutil.which("go"):
        version = re.search(r"go(\d+)\.(\d+)", run(found, "version"))
        if version and (int(version[1]), int(version[2])) >= (1, 21):
            return found, {}

    def make(root: Path) -> None:
        loose_root("trixie", "amd64", root, "golang-go")

    root = made("go", digest(make, loose_root, plan("trixie", "amd64", *ESSENTIAL, "golang-go")), make)
    goroot = next((root / "usr/lib").glob("go-1.*"))
    source = next((root / "usr/share").glob("go-1.*"))
    for part in ("src", "pkg", "misc", "test", "api", "lib"):
        link = goroot / part
        if link.is_symlink() and not link.exists() and (source / part).exists():
            link.unlink()
            link.symlink_to(source / part)
    return str(goroot / "bin/go"), {"GOROOT": str(goroot)}


def frontend() -> oci.Layer:
    """BuildKit's Dockerfile frontend, of the same version as the engine's own."""

    def make(out: Path) -> None:
        program, env = go()
        where = {f"GO{n}": str(out / n.lower()) for n in ("PATH", "BIN")}
        flags = {"CGO_ENABLED": "0", "GOFLAGS": "-modcacherw -trimpath -ldflags=-s"}
        env |= {**where, **flags, "GOCACHE": str(out / "cache"), "GOTOOLCHAIN": "local", "HOME": str(out)}
        run(program, "install", FRONTEND, env=env, cwd=out)
        (out / "root/bin").mkdir(parents=True)
        shutil.move(out / "bin/dockerfile-frontend", out / "root/bin/dockerfile-frontend")
        oci.pack(out / "root", out / "layer")
        for left in ("root", "path", "cache", "bin"):
            shutil.rmtree(out / left, ignore_errors=True)

    return oci.packed_layer(made("frontend", digest(make, oci.pack, FRONTEND), make) / "layer")


def image(
    names: Sequence[str],
    layers: Mapping[str, Sequence[oci.Layer]],
    *,
    labels: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    **config: object,
) -> oci.Image:
    label = f"stand-in for {names[0]}, made from Debian packages; not the original"
    settings = [f"{k}={v}" for k, v in {"PATH": PATH, **(env or {})}.items()]
    return oci.Image(
        names, layers, {"Env": settings, "Labels": {"dockerslim.stand-in": label, **(labels or {})}, **config}
    )


def tags(repository: str, *names: str) -> list[str]:
    return [f"{repository}:{name}" for name in names]


def all_images() -> list[oci.Image]:
    """Everything, made if need be. The order of the futures is the order of what takes longest."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        rusts = {a: pool.submit(rust_layer, a) for a in CPU}
        debians = {a: pool.submit(debian, a) for a in CPU}
        newest = {a: pool.submit(newer, a) for a in CPU}
        parser = pool.submit(frontend)
        distrolesses = {a: pool.submit(distroless, a) for a in CPU}
        smalls = {a: pool.submit(small, a) for a in CPU}
        base = {a: d.result() for a, d in debians.items()}
        later = {a: n.result() for a, n in newest.items()}
        less = {a: d.result() for a, d in distrolesses.items()}
        tiny = {a: s.result() for a, s in smalls.items()}
        parser_layer = parser.result()
        toolchain = {a: r.result() for a, r in rusts.items()}
    last, rust_env = clones.layer(), rust.environment()
    suites = ("bookworm", "trixie")
    slim = ["slim", *(f"slim-{s}" for s in suites)]
    full = ["latest", *suites]
    for version in ("1", *RUST_VERSIONS, rust_env["RUST_VERSION"]):
        slim += [f"{version}-slim", *(f"{version}-slim-{s}" for s in suites)]
        full += [version, *(f"{version}-{s}" for s in suites)]
    alpine_tags = ["latest", "3", *(f"3.{minor}" for minor in range(18, 25)), "edge"]
    certificates = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    result = [
        image(
            tags("debian", "bookworm-slim", "12-slim", "bookworm", "12"),
            {a: [b["base"]] for a, b in base.items()},
            Cmd=["bash"],
        ),
        image(
            tags("debian", "trixie-slim", "13-slim", "trixie", "13"),
            {a: [layer] for a, layer in later.items()},
            Cmd=["bash"],
        ),
        *(
            image(
                tags("ubuntu", version, codename),
                {a: [b["base"], ubuntu(version)] for a, b in base.items()},
                Cmd=["/bin/bash"],
            )
            for version, codename in UBUNTUS.items()
        ),
        image(
            tags("rust", *slim),
            {a: [b["base"], b["slim"], toolchain[a]] for a, b in base.items()},
            env=rust_env,
            Cmd=["bash"],
        ),
        image(
            tags("rust", *full),
            {a: [b["base"], b["slim"], toolchain[a], b["full"], last] for a, b in base.items()},
            env=rust_env,
            Cmd=["bash"],
        ),
        image(tags("alpine", *alpine_tags), {a: [t["alpine"]] for a, t in tiny.items()}, Cmd=["/bin/sh"]),
        image(
            tags("busybox", "musl", "latest", "1", "stable", "stable-musl", "glibc"),
            {a: [t["busybox"]] for a, t in tiny.items()},
            Cmd=["sh"],
        ),
    ]
    for name, layers in (("static", ["static"]), ("cc", ["static", "cc"]), ("base", ["static", "cc"])):
        content = {a: [parts[part] for part in layers] for a, parts in less.items()}
        for tag, user, folder in (("latest", "0", "/"), ("nonroot", "65532", "/home/nonroot")):
            names = [f"gcr.io/distroless/{name}{suite}:{tag}" for suite in ("-debian13", "-debian12", "")]
            result.append(image(names, content, env=certificates, User=user, WorkingDir=folder))
    caps = {
        "moby.buildkit.frontend.caps": ",".join(
            f"moby.buildkit.frontend.{c}" for c in ("inputs", "subrequests", "contexts")
        )
    }
    names = tags("docker/dockerfile", "1", "latest", *(f"1.{minor}" for minor in range(2, 8)))
    result.append(image(names, {"amd64": [parser_layer]}, labels=caps, Entrypoint=["/bin/dockerfile-frontend"]))
    return result
