"""Resolves annotations of user files, from which flags are read: names imported for type checkers only."""

import ast
from contextlib import suppress
from pathlib import Path
from types import ModuleType


def import_type_only(module: ModuleType) -> None:
    """Runs the imports that a file makes under `if TYPE_CHECKING:`, so that its annotations can be evaluated.

    Names that the module has are kept, and imports that fail are skipped: `flags.parse` reports a name that is missing.
    """
    for block in ast.parse(Path(module.__file__).read_bytes()).body:
        if isinstance(block, ast.If) and ast.unparse(block.test).rpartition(".")[2] == "TYPE_CHECKING":
            for statement in block.body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    _run(statement, module)


def _run(statement: ast.stmt, module: ModuleType) -> None:
    found: dict[str, object] = {}
    with suppress(ImportError):
        exec(compile(ast.Module([statement], []), module.__file__, "exec"), dict(vars(module)), found)
    for name, value in found.items():
        vars(module).setdefault(name, value)
