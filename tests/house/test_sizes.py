"""How large files and functions grow, and how deep they nest."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.project import FOLDERS, python_files, shown

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
USUAL_FUNCTION = 26
USUAL_SHARE = 0.9
DEEPEST = 3

NESTS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True, slots=True)
class Function:
    where: str
    lines: int
    depth: int


def test_files_stay_readable() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*FOLDERS)}
    assert {where: lines for where, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_stay_short() -> None:
    functions = list(_functions())
    assert [each for each in functions if each.lines > LONGEST_FUNCTION] == []
    long = sorted((each for each in functions if each.lines > USUAL_FUNCTION), key=lambda each: -each.lines)
    assert len(long) <= (1 - USUAL_SHARE) * len(functions), long


def test_nothing_nests_deeply() -> None:
    assert [each for each in _functions() if each.depth > DEEPEST] == []


def test_depth_counts_blocks_but_not_the_branches_of_one_choice() -> None:
    def depth(text: str) -> int:
        return _depth(ast.parse(text))

    assert depth("if a:\n  pass\nelif b:\n  pass\nelif c:\n  pass") == 1
    assert depth("for a in b:\n  with c:\n    if d:\n      pass") == 3
    assert depth("for a in b:\n  pass\nelse:\n  if c:\n    pass") == 2


def _functions() -> Iterator[Function]:
    for path in python_files(*FOLDERS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield Function(f"{shown(path)}:{node.lineno} {node.name}", lines, _depth(node))


def _depth(node: ast.AST) -> int:
    deepest = 0
    for child in ast.iter_child_nodes(node):
        own = 0 if not isinstance(child, NESTS) or _is_elif(node, child) else 1
        deepest = max(deepest, own + _depth(child))
    return deepest


def _is_elif(parent: ast.AST, child: ast.AST) -> bool:
    return isinstance(parent, ast.If) and isinstance(child, ast.If) and parent.orelse == [child]
