"""The package keeps its plan: who may import whom, how long a function may be, and one name for one thing."""

import ast
import doctest
import graphlib
import importlib
import re
import sys
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import pytest

import itp_response
from itp_response.definitions.load import load
from itp_response.evaluation.endpoints import KINDS, Endpoint

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "itp_response"
LAYERS = """
    messages
    cohort
    evaluation
    definitions readers
    classification
    explanation data_review
    authoring
    outputs teaching
    validation
    cli
"""
"""A package imports only from those on lines above its own. `itp_response/__init__.py` knows all of them."""
OUTPUTS = """
    statistics comparison
    tables figures adam
    report
"""
"""The same of the packages in `outputs`."""
LONGEST = 40
"""Lines of code in a function; its docstring, comments and blank lines are not counted."""


def _name(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


FACE = "__init__"
SOURCES = {_name(path): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
"""Each module's text by its name below `itp_response`; a package goes by its own name."""
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
INNER = [name for name in SOURCES if "." in name or (PACKAGE / name / "__init__.py").exists()]
"""All modules but those at the top."""


def levels(layers):
    """The line on which each package stands."""
    return {name: level for level, line in enumerate(layers.splitlines()) for name in line.split()}


def packages(folder):
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def imported(name):
    """All that a module imports, wherever in it: full dotted names."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(name):
    """The project's own modules that a module imports."""
    for other in imported(name):
        top, _, below = other.partition(".")
        if top == "itp_response":
            package = below.rpartition(".")[0]
            yield below if below in SOURCES else package if package in SOURCES else FACE


def not_below(name, layers, within=""):
    """What a module imports of packages that do not stand above its own in the layers."""
    level = levels(layers)
    own = name.removeprefix(within).split(".")[0]
    others = {other: other.removeprefix(within).split(".")[0] for other in own_imports(name)}
    return [
        other
        for other, package in others.items()
        if other.startswith(within) and package != own and not level.get(package, len(SOURCES)) < level[own]
    ]


def functions():
    """Every function of the package: its full name, its node, and the lines of its module."""
    for name, tree in TREES.items():
        lines = SOURCES[name].splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}.{node.name}", node, lines


def lines_of_code(node, lines):
    """From `def` to the end, without docstring, comments and blank lines."""
    first = node.body[0]
    has_docstring = ast.get_docstring(node) is not None
    docstring = range(first.lineno, first.end_lineno + 1) if has_docstring else range(0)
    numbers = [number for number in range(node.lineno, node.end_lineno + 1) if number not in docstring]
    texts = [lines[number - 1].strip() for number in numbers]
    return sum(1 for text in texts if text and not text.startswith("#"))


KIND_MODULES = {kind.__module__ for kind in KINDS.values()}
OWN_KEYS = {key for kind in KINDS.values() for key in kind.model_fields} - set(Endpoint.model_fields)
"""The keys that some kinds have and not every endpoint."""
SECOND_READING = "validation.literal"
"""It has kinds of its own, and shares nothing with the rest."""
OUTSIDE = [name for name in INNER if not name.startswith("evaluation.endpoints") and name != SECOND_READING]


def asking_for_kinds(name):
    """The places in a module that ask for the kind of an endpoint."""
    return asking(TREES[name], vars(importlib.import_module(f"itp_response.{name}")))


def asking(tree, names):
    """The places in a tree that ask for the kind of an endpoint; `names` has the values of the module's names."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                sides = [left, *others]
                asks = any(map(is_kind, sides)) and any(has_text(side, names) for side in sides if not is_kind(side))
            case ast.Match(subject=subject):
                asks = is_kind(subject)
            case ast.Subscript(value=value, slice=ast.Constant(value=str())):
                asks = isinstance(value, ast.Name) and value.id == "KINDS"
            case ast.Subscript(value=value, slice=index):
                asks = is_kind(index) and has_text(value, names)
            case ast.Call(func=ast.Attribute(attr="get", value=value), args=[key, *_]):
                asks = is_kind(key) and has_text(value, names)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=key), *_]):
                asks = key in OWN_KEYS
            case ast.ImportFrom(module=module, names=aliases):
                asks = bool(KIND_MODULES & {module, *(f"{module}.{alias.name}" for alias in aliases)})
                asks |= any(alias.name in {kind.__name__ for kind in KINDS.values()} for alias in aliases)
            case ast.Import(names=aliases):
                asks = bool(KIND_MODULES & {alias.name for alias in aliases})
            case _:
                asks = False
        if asks:
            yield node


def is_kind(node):
    """Whether an expression is the kind of something."""
    match node:
        case ast.Attribute(attr="kind") | ast.Subscript(slice=ast.Constant(value="kind")):
            return True
    return False


def has_text(node, names):
    """Whether an expression is a text or holds texts; the kinds of other things than endpoints are numbers."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, str)
        case ast.Name(id=name):
            value = names.get(name, 0)
            return name != "KINDS" and any(isinstance(one, str) for one in (value if is_many(value) else [value]))
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.Dict(keys=parts):
            return any(has_text(part, names) for part in parts)
    return False


def is_many(value):
    return isinstance(value, Collection) and not isinstance(value, str)


class TestLayers:
    def test_the_packages_are_those_of_the_plan(self):
        assert packages(PACKAGE) == set(levels(LAYERS))
        assert packages(PACKAGE / "outputs") == set(levels(OUTPUTS))
        assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}

    @pytest.mark.parametrize("name", INNER)
    def test_a_package_imports_only_from_those_before_it(self, name):
        assert not_below(name, LAYERS) == []

    @pytest.mark.parametrize("name", [name for name in INNER if name.startswith("outputs.")])
    def test_an_output_imports_only_from_those_before_it(self, name):
        assert not_below(name, OUTPUTS, within="outputs.") == []

    def test_no_modules_import_each_other_in_a_circle(self):
        graph = {name: set(own_imports(name)) - {name} for name in INNER}
        graphlib.TopologicalSorter(graph).prepare()  # raises, and names the circle

    @pytest.mark.parametrize("name", [name for name in INNER if name.split(".")[0] == "evaluation"])
    def test_the_heart_knows_of_no_frame_no_file_and_no_command_line(self, name):
        names = {other.split(".")[0] for other in imported(name)}
        named = {node.id for node in ast.walk(TREES[name]) if isinstance(node, ast.Name)}

        assert names & {"polars", "pandas", "pyarrow", "click", "pathlib", "io", "tomllib", "json"} == set()
        assert "open" not in named

    def test_the_second_reading_shares_nothing_with_the_engine(self):
        assert {other.split(".")[0] for other in imported(SECOND_READING)} <= sys.stdlib_module_names

    def test_no_package_bears_a_public_name(self):
        assert packages(PACKAGE) & set(itp_response.__all__) == set()

    def test_contributors_are_told_the_same_layers(self):
        (told,) = re.findall(r"^`messages` < .*$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)

        assert [set(re.findall(r"\w+", layer)) for layer in told.split("<")] == [
            set(line.split()) for line in LAYERS.split("\n") if line.strip()
        ]

    def test_a_folder_of_tests_bears_the_name_of_what_it_tests(self):
        folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

        assert folders - {"fuzz"} <= packages(PACKAGE)


class TestKinds:
    """All that is true of one kind of endpoint stands in its module."""

    @pytest.mark.parametrize("name", OUTSIDE)
    def test_no_module_outside_asks_for_the_kind_of_an_endpoint(self, name):
        assert [ast.unparse(node) for node in asking_for_kinds(name)] == []

    @pytest.mark.parametrize(
        ("source", "asks"),
        [
            ("model.kind == 'lost'", True),
            ("'best' != criteria.endpoints[name].kind", True),
            ("model.kind in ('best', 'lost')", True),
            ("model.kind in SUMS_UP", True),
            ("table['kind'] == 'combined'", True),
            ("match model.kind:\n    case 'at': pass", True),
            ("KINDS['achieved']", True),
            ("getattr(model, 'when', None)", True),
            ("{'lost': 1}.get(model.kind)", True),
            ("{'lost': 1}[model.kind]", True),
            ("from itp_response.evaluation.endpoints.lost import Lost", True),
            ("from itp_response.evaluation.endpoints import lost", True),
            ("edits.kind == COUNT", False),
            ("{'kind': model.kind}", False),
            ("KINDS[table['kind']]", False),
            ("getattr(error, 'strerror', None)", False),
            ("from itp_response.evaluation.endpoints.endpoint import Endpoint", False),
        ],
    )
    def test_the_law_sees_what_it_is_to_see(self, source, asks):
        assert bool(list(asking(ast.parse(source), {"SUMS_UP": ("best",), "COUNT": 0}))) is asks


class TestSizes:
    """Ruff holds the complexity and the number of parameters, as `pyproject.toml` says."""

    def test_no_function_is_longer_than_one_can_read(self):
        sizes = {name: lines_of_code(node, lines) for name, node, lines in functions()}

        assert {name: size for name, size in sizes.items() if size > LONGEST} == {}

    def test_lines_are_counted_without_docstring_comments_and_blank_lines(self):
        source = 'def f(\n    a,\n):\n    """One.\n\n    Two."""\n    # why\n\n    b = a\n    return b  # so\n'
        (node,) = ast.parse(source).body

        assert lines_of_code(node, source.splitlines()) == 5


class TestNames:
    def test_no_class_name_stands_in_two_modules(self):
        modules = defaultdict(set)
        for name, tree in TREES.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    modules[node.name].add(name)

        assert {name: where for name, where in modules.items() if len(where) > 1} == {}

    @pytest.mark.parametrize("name", SOURCES)
    def test_every_module_says_in_a_line_what_it_is(self, name):
        docstring = ast.get_docstring(TREES[name]) or ""

        assert re.match(r".{10,}(\n\n|$)", docstring)


class TestExamples:
    """Of docstrings; pytest runs them."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_kind_shows_a_patient_that_meets_it_and_one_that_does_not(self, kind):
        examples = doctest.DocTestParser().get_examples(sys.modules[KINDS[kind].__module__].__doc__ or "")
        shown = re.findall(r"^\(?'(\w+)'", "".join(example.want for example in examples), re.MULTILINE)
        asked = re.findall(r'"(\w+)", endpoint="(\w+)"', "".join(example.source for example in examples))

        assert len(asked) >= 2
        assert {load(name).endpoints[endpoint].kind for name, endpoint in asked} == {kind}
        assert {value in ("N", "NR") for value in shown} == {True, False}
