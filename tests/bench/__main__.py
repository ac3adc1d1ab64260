"""`make bench`: runs every benchmark of this folder, or those named, and prints one table."""

import importlib
import inspect
import os
import platform
import sys
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.table import Table

from tests.bench.options import Options, Rows, parse

HERE = Path(__file__).parent


def main(words: list[str]) -> int:
    """Run and print; 1 when a benchmark failed. A failed one does not keep the others from running."""
    names, options = parse(words)
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(known)}.\n")
        return 2
    console = Console()
    table = Table("Benchmark", "What", "Figure", title=_title(options))
    failed = False
    for name in names or known:
        console.print(f"running {name} …", style="dim")
        try:
            rows = _run(importlib.import_module(f"tests.bench.bench_{name}"), options)
        except Exception as failure:  # noqa: BLE001  one broken benchmark must not hide the figures of the others
            failed = True
            rows = [("failed", f"{type(failure).__name__}: {failure}")]
        for what, figure in rows:
            table.add_row(name, what, figure)
        table.add_section()
    console.print(table)
    return int(failed)


def _run(module: ModuleType, options: Options) -> Rows:
    """Those of the engine take options; the others have nothing to choose."""
    rows: Rows = module.run(options) if inspect.signature(module.run).parameters else module.run()
    return rows


def _title(options: Options) -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}"
    return f"{machine}, the smallest sizes: figures mean nothing" if options.is_quick else machine


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
