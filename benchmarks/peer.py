"""Build the hand-written Cython peer when it is asked for, outside the tree."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from types import ModuleType

from Cython.Build import cythonize
from setuptools import Distribution, Extension

SOURCE = Path(__file__).with_name("peer_cython.pyx")


def build() -> ModuleType:
    """Compile peer_cython.pyx into a temporary folder with the flags of the machine, and import it."""
    folder = Path(tempfile.mkdtemp(prefix="pact-peer-"))
    source = Path(shutil.copy(SOURCE, folder))
    extension = Extension("peer_cython", [str(source)], extra_compile_args=["-O3", "-w"])
    distribution = Distribution(
        {"ext_modules": cythonize([extension], quiet=True, build_dir=str(folder)), "name": "peer"}
    )
    command = distribution.get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder), str(folder)
    distribution.run_command("build_ext")
    library = next(folder.glob("peer_cython*.so"))
    spec = importlib.util.spec_from_file_location("peer_cython", library)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shutil.rmtree(folder)
    return module
