"""The engine: Debian 13's dockerd in a root of its own, in its own mount and PID namespace, started by hand.

Nothing of it is installed on the machine. Its data root, sockets and pid files are the lab's own; the rest of the machine
(/home, /tmp, …) is seen inside at the same paths, so that a bind mount named by a test means what it says. It shares
the machine's network: published ports work, and no other dockerd may run.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.lab.debian import ESSENTIAL, fetch, loose_root, plan, unpack
from tests.lab.store import LabError, digest, in_root, lab_dir, made, remove, run, say

SUITE = "trixie"
PACKAGES = [
    "docker.io",
    "docker-cli",
    "docker-buildx",
    "tini",
    "iptables",
    "iproute2",
    "procps",
    "kmod",
    "git",
    "ca-certificates",
]
BINFMT = Path("/proc/sys/fs/binfmt_misc")
QEMU = "qemu-aarch64"
# an ELF file, 64 bits, little endian, executable or shared object, for AArch64
MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"

# Runs as the first process of its namespaces. Without the bind of the root onto itself runc fails ("mount /, invalid
# argument"). Top folders of the machine that the engine's own root doesn't have are the machine's.
START = r"""
root=$1 lab=$2
mount --bind "$root" "$root"
for top in /*; do
  case $top in /bin|/sbin|/lib*|/usr|/etc|/var|/proc|/sys|/dev|/run) ;;
  *) [ ! -d "$top" ] || [ -L "$top" ] || { mkdir -p "$root$top"; mount --rbind "$top" "$root$top"; } ;; esac
done
mount -t tmpfs -o mode=755 run "$root/run"
mkdir -p "$root$lab"
mount --rbind "$lab" "$root$lab"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
read -r pid rest < /proc/self/stat
echo "$pid" > "$lab/run/pid.new"
mount -t proc proc "$root/proc"
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin HOME=/root TMPDIR="$lab/run" \
  /usr/bin/tini-static -s -- /usr/sbin/dockerd --config-file "$lab/run/daemon.json"
"""


def root() -> Path:
    def make(folder: Path) -> None:
        loose_root(SUITE, "amd64", folder, *PACKAGES)
        (folder / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)

    return made("engine", digest(make, loose_root, unpack, plan(SUITE, "amd64", *ESSENTIAL, *PACKAGES)), make)


def client(engine: Path) -> Path:
    """A folder for PATH with `docker` (and, in `config/`, what makes it find buildx), whatever the machine has."""

    def make(folder: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "plugins").mkdir()
        shutil.copy(engine / "usr/bin/docker", folder / "bin")
        shutil.copy(engine / "usr/libexec/docker/cli-plugins/docker-buildx", folder / "plugins")
        config = folder / "config"
        config.mkdir()
        final = lab_dir() / "made" / f"client-{key}"
        (config / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(final / "plugins")]}))

    key = digest(make, engine.name, str(lab_dir()))
    return made("client", key, make)


def qemu() -> Path:
    """The folder with a static qemu-aarch64."""

    def make(folder: Path) -> None:
        debs = folder / "debs"
        debs.mkdir()
        unpack(fetch(SUITE, "amd64", "qemu-user"), debs)
        shutil.copy(debs / "usr/bin/qemu-aarch64", folder)
        shutil.rmtree(debs)

    return made("qemu", digest(make, plan(SUITE, "amd64", "qemu-user")), make)


def _state(name: str) -> Path:
    folder = lab_dir() / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def emulate() -> None:
    """Register qemu for arm64 programs, unless the machine runs them already."""
    if not (BINFMT / "register").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
        _state("mounted-binfmt").touch()
    registered = BINFMT / QEMU
    if registered.exists():
        known = registered.read_text()
        interpreter = re.search(r"^interpreter (.*)$", known, re.M)
        flags = re.search(r"^flags: (.*)$", known, re.M)
        if flags and "F" in flags[1]:
            return
        where = interpreter[1] if interpreter else "?"
        raise LabError(
            f"{registered} is registered for {where} without the F flag, so it doesn't work inside containers; register it with flags OCFP"
        )
    static = qemu() / "qemu-aarch64"
    # P: busybox's shell runs /proc/self/exe by the names of its applets, and without it a program never sees its name
    (BINFMT / "register").write_text(f":{QEMU}:M::{MAGIC}:{MASK}:{static}:OCFP")
    _state("registered-binfmt").touch()
    say(f"{QEMU} registered")


def stop_emulating() -> None:
    """Undo what `emulate` did, and only that."""
    if _state("registered-binfmt").exists():
        with contextlib.suppress(OSError):
            (BINFMT / QEMU).write_text("-1")
        _state("registered-binfmt").unlink()
    if _state("mounted-binfmt").exists():
        subprocess.run(["umount", str(BINFMT)], stderr=subprocess.DEVNULL, check=False)
        _state("mounted-binfmt").unlink()


def socket_path() -> Path:
    return lab_dir() / "run/docker.sock"


def host() -> str:
    return f"unix://{socket_path()}"


def running() -> int | None:
    """The engine's process id; None if it doesn't run, also if its pid file tells of a process that isn't ours."""
    try:
        pid, born = _state("pid").read_text().split()
        now = _born(int(pid))
    except (OSError, ValueError):
        return None
    return int(pid) if now == born else None


def _born(pid: int) -> str:
    """When the process started, in ticks since boot: a number that was given again is told by it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def answers() -> bool:
    return ping(socket_path())


def lists_images() -> bool:
    """Whether it knows what it stores: after a load that was killed it answers, but not this."""
    return ping(socket_path(), "/images/json", seconds=60)


def ping(path: Path, asked: str = "/_ping", seconds: float = 5) -> bool:
    """Whether a Docker answers on this socket, and says yes to what it is asked."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as talk:
        talk.settimeout(seconds)
        talk.connect(str(path))
        talk.sendall(f"GET {asked} HTTP/1.0\r\n\r\n".encode())
        return talk.recv(200).startswith(b"HTTP/1.0 200")
    return False


def others() -> str | None:
    """What speaks against starting: a Docker of the machine or of the user."""
    given = os.environ.get("DOCKER_HOST")
    if given and given != host():
        return f"DOCKER_HOST is set ({given}): use that Docker, or unset it"
    for name in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if name.read_text().strip() == "dockerd" and not _is_ours(name.parent):
                return f"a dockerd already runs (process {name.parent.name}); two on one machine disturb each other's networks"
    default = Path("/var/run/docker.sock")
    if default.is_socket() and ping(default):
        return f"a Docker answers on {default}: use that one"
    return None


def _is_ours(process: Path) -> bool:
    return str((process / "root").readlink()).startswith(f"{lab_dir().resolve()}/made/engine-")


def start(engine: Path) -> None:
    """Start dockerd and wait until it answers.

    Its BuildKit gives itself ten seconds to look through what is stored, and ends dockerd when that was not enough (seen
    with 19 GB: "context deadline exceeded"); the next try finds the files in memory. Where that does not help either, what
    is stored is thrown away: it is images that are loaded again, and a cache of builds.
    """
    for last in (False, False, True):
        if last:
            say("dockerd does not start with what is stored; it starts with nothing")
            remove(lab_dir() / "data")
        if _start_once(engine) and lists_images():
            return
        stop(engine)
    log = _state("dockerd.log")
    raise LabError(f"dockerd did not start; the end of {log}:\n{log.read_text()[-3000:]}")


def _start_once(engine: Path) -> bool:
    data = lab_dir() / "data"
    data.mkdir(exist_ok=True)
    for left in ("docker.sock", "docker.pid", "pid", "pid.new"):
        _state(left).unlink(missing_ok=True)
    shutil.rmtree(_state("exec"), ignore_errors=True)
    config = {
        "data-root": str(data),
        "exec-root": str(_state("exec")),
        "pidfile": str(_state("docker.pid")),
        "hosts": [host()],
        "features": {"containerd-snapshotter": True},
        "builder": {"gc": {"enabled": True, "defaultKeepStorage": "8GB"}},
    }
    _state("daemon.json").write_text(json.dumps(config, indent=1))
    _firewall_before(engine)
    log = _state("dockerd.log")
    command = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        "-ec",
        START,
        "_",
        str(engine),
        str(lab_dir()),
    ]
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/"
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        new = _state("pid.new")
        if new.exists() and (pid := new.read_text().strip()):
            with contextlib.suppress(OSError):
                _state("pid").write_text(f"{pid} {_born(int(pid))}\n")
                new.unlink()
        if answers():
            return True
        time.sleep(0.1)
    return False


def stop(engine: Path | None) -> None:
    """Ask dockerd to stop its containers and itself; what is left of its namespace after 30 s is killed with it."""
    pid = running()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        for waited in range(300):
            if running() is None:
                break
            if waited == 299:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
    if engine is not None:
        _firewall_after(engine)
    for left in ("docker.sock", "docker.pid", "pid", "pid.new", "daemon.json"):
        _state(left).unlink(missing_ok=True)
    shutil.rmtree(_state("exec"), ignore_errors=True)


def _firewall_before(engine: Path) -> None:
    """Choose the kind of iptables that this kernel has, and note what dockerd will change and not change back."""
    sbin = engine / "usr/sbin"
    kind = "nft"
    try:
        in_root(engine, "iptables-nft", "-t", "nat", "-nL")
    except LabError:
        kind = "legacy"
    for program in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            link = sbin / f"{program}{suffix}"
            link.unlink(missing_ok=True)
            link.symlink_to(f"{program}-{kind}{suffix}")
    note = _state("network-before.json")
    if not note.exists():
        forward = {f: f":FORWARD {p}" for f in ("iptables", "ip6tables") if (p := _forward_policy(engine, f))}
        note.write_text(json.dumps({"forward": forward, "ip_forward": _ip_forward().read_text().strip()}))


def _ip_forward() -> Path:
    return Path("/proc/sys/net/ipv4/ip_forward")


def _forward_policy(engine: Path, family: str) -> str | None:
    with contextlib.suppress(LabError):
        for line in in_root(engine, f"{family}-save", "-t", "filter").splitlines():
            if line.startswith(":FORWARD "):
                return line.split()[1]
        return "ACCEPT"
    return None


def _firewall_after(engine: Path) -> None:
    """Remove dockerd's bridges and rules, and give the forwarding policy back."""
    note = _state("network-before.json")
    if not note.exists():
        return
    before = json.loads(note.read_text())
    ours = re.compile(r"DOCKER|docker0|br-[0-9a-f]{12}")
    for family, forward in before["forward"].items():
        rules = in_root(engine, f"{family}-save").splitlines()
        subnets = {
            m[1] for r in rules if (m := re.match(r"-A POSTROUTING -s (\S+) ! -o (?:docker0|br-[0-9a-f]{12}) ", r))
        }
        kept = [r for r in rules if not ours.search(r) and not any(f"{s} " in r and "MASQUERADE" in r for s in subnets)]
        kept = [re.sub(r"^:FORWARD \S+", forward, r) for r in kept]
        if kept != rules:
            place = engine / "tmp-rules"
            place.write_text("\n".join([*kept, ""]))
            with contextlib.suppress(LabError):
                in_root(engine, f"{family}-restore", "/tmp-rules")
            place.unlink()
    links = in_root(engine, "ip", "-o", "link", "show", "type", "bridge")
    for name in re.findall(r"^\d+: (docker0|br-[0-9a-f]{12}):", links, re.M):
        in_root(engine, "ip", "link", "delete", name)
    _ip_forward().write_text(before["ip_forward"])
    note.unlink()
