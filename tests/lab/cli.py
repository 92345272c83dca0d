"""One command up, one down."""

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import debian, engine, images, oci
from tests.lab.store import LabError, end_with_children, lab_dir, only_one, remove, run, say

PAIRS = [(suite, arch) for suite in ("bookworm", "trixie") for arch in debian.CPU]


def environment() -> dict[str, str]:
    """What a shell or a test needs to use the lab; PATH is to be put before its own."""
    client = lab_dir() / "client"
    return {
        "DOCKER_HOST": engine.host(),
        "DOCKER_CONFIG": f"{client}/config",
        "DOCKERSLIM_LAB": str(lab_dir()),
        "PATH": f"{client}/bin",
    }


def whole_path(first: str) -> str:
    rest = [p for p in os.environ.get("PATH", os.defpath).split(":") if p != first]
    return ":".join([first, *rest])


def check_machine() -> None:
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it mounts, makes namespaces and starts dockerd")
    if run("dpkg", "--print-architecture").strip() != "amd64":
        raise LabError("the lab is made for amd64 machines")
    needed = {"git": "git", "tar": "tar", "unshare": "util-linux", "gzip": "gzip"}
    if missing := [package for program, package in needed.items() if not shutil.which(program)]:
        run(
            "apt-get",
            "-o",
            "DPkg::Lock::Timeout=300",
            "install",
            "-y",
            "-q",
            "--no-install-recommends",
            *missing,
            env={"DEBIAN_FRONTEND": "noninteractive"},
        )


def up(arguments: argparse.Namespace) -> None:
    check_machine()
    if why := engine.others():
        raise LabError(f"not starting the lab: {why}")
    try:
        make_and_start(new_lists=arguments.refresh)
    except LabError as error:
        if "Failed to fetch" not in str(error) or arguments.refresh:
            raise
        say("a package file is gone from the mirror: once more with new package lists")
        make_and_start(new_lists=True)


def make_and_start(*, new_lists: bool) -> None:
    for suite, arch in PAIRS:
        debian.refresh(suite, arch, force=new_lists)
    # an engine that runs is kept, whatever its key: nothing of it may be taken away under it
    recorded = lab_dir() / "run/up.json"
    alive = engine.running() is not None and engine.lists_images() and recorded.exists()
    engine.emulate()
    if not alive:
        engine.stop(None)
    with ThreadPoolExecutor(max_workers=2) as pool:
        rest = pool.submit(images.all_images)
        if alive:
            say("the engine runs already")
        else:
            root = engine.root()
            client = lab_dir() / "client"
            client.unlink(missing_ok=True)
            client.symlink_to(engine.client(root).relative_to(lab_dir()))
            engine.start(root)
            recorded.write_text(json.dumps({"engine": str(root)}))
            say("the engine answers")
        load(rest.result())
    say(f'ready: eval "$({Path(sys.argv[0])} env)"')


def load(wanted: Sequence[oci.Image]) -> None:
    """Load what the daemon doesn't have under the same digest."""
    environ = {**os.environ, **environment()}
    environ["PATH"] = whole_path(environ["PATH"])
    listed = subprocess.run(
        ["docker", "images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    has = dict(line.split() for line in listed.splitlines())
    layout = oci.Layout(lab_dir() / "layout")
    missing, replaced = [], set[str]()
    for image in wanted:
        index = oci.Layout(None).add(image)
        if any(has.get(name) != index for name in image.names):
            layout.add(image)
            missing.append(image.names[0])
            replaced |= {has[name] for name in image.names if name in has} - {index}
    if not missing:
        say("all images are loaded")
        return
    say(f"loading {', '.join(missing)}")
    assert layout.folder
    remove(layout.folder)
    layout.write()
    with subprocess.Popen(["tar", "-C", layout.folder, "-c", "."], stdout=subprocess.PIPE) as tar:
        done = subprocess.run(
            ["docker", "load", "-q"], stdin=tar.stdout, env=environ, capture_output=True, text=True, check=False
        )
    remove(layout.folder)
    if done.returncode:
        raise LabError(f"docker load: {done.stderr[-2000:]}")
    for old in replaced:  # it stays if something uses it
        subprocess.run(["docker", "rmi", old], env=environ, capture_output=True, check=False)
    say("loaded")


def down(_: argparse.Namespace) -> None:
    recorded = lab_dir() / "run/up.json"
    was = engine.running() is not None
    root = Path(json.loads(recorded.read_text())["engine"]) if recorded.exists() else None
    engine.stop(root if root and root.exists() else None)
    engine.stop_emulating()
    recorded.unlink(missing_ok=True)
    say("stopped" if was else "was not running")


def status(_: argparse.Namespace) -> int:
    pid = engine.running()
    if pid is None:
        print("down")
        return 3
    print(f"up, process {pid}, {engine.host()}" if engine.answers() else f"process {pid} runs but doesn't answer")
    return 0


def env(arguments: argparse.Namespace) -> int:
    if engine.running() is None:
        raise LabError("the lab is down")
    values = environment()
    if arguments.json:
        print(json.dumps({**values, "PATH": whole_path(values["PATH"])}, indent=1))
    else:
        for name, value in values.items():
            print(f"export {name}={shlex.quote(value)}{':$PATH' if name == 'PATH' else ''}")
    return 0


def clean(arguments: argparse.Namespace) -> None:
    down(arguments)
    for folder in lab_dir().iterdir():
        if folder.is_dir():
            remove(folder)
    say(f"removed what was in {lab_dir()}")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lab", description="A container engine and base images for tests, without a registry."
    )
    commands = parser.add_subparsers(required=True)
    parts = {
        "up": (up, "make what is missing, start the engine, load the images"),
        "down": (down, "stop the engine; what was made stays"),
        "status": (status, "tell whether it runs (exit code 3 if not)"),
        "env": (env, "print what a shell needs to use it"),
        "clean": (clean, "down, and remove everything that was made"),
    }
    for name, (act, text) in parts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(act=act, alone=name not in ("status", "env"))
        if name == "env":
            command.add_argument("--json", action="store_true", help="as a JSON object")
        if name == "up":
            command.add_argument(
                "--refresh", action="store_true", help="fetch new package lists first; what they change is made anew"
            )
    arguments = parser.parse_args(argv)
    try:
        if arguments.alone:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, end_with_children)
            with only_one():
                return arguments.act(arguments) or 0
        return int(arguments.act(arguments))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
