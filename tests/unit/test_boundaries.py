"""Who may know whom. A new module has to find its place here."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = {
    "video_emotions": ROOT / "functions/analyze/video_emotions",
    "video_jobs": ROOT / "functions/jobs/video_jobs",
    "video_common": ROOT / "layers/common/python/video_common",
    "video_models": ROOT / "layers/models/python/video_models",
    "video_emotions_client": ROOT / "client/video_emotions_client",
    "video_emotions_cli": ROOT / "client/video_emotions_cli",
    "video_report": ROOT / "web/video_report",
}
ONLY_IN = {
    "av": {
        *(f"video_emotions.{name}" for name in ("decoder", "av_frames", "av_packets", "av_stream")),
        "video_emotions_cli.drawing",
    },
    "httpx": {f"video_emotions_client.{name}" for name in ("client", "answers", "parts", "retries")},
    "typer": {"video_models.__main__", *(f"video_emotions_cli.{name}" for name in ("main", "options", "failures"))},
    "deepface": {"video_emotions.emotions", "video_models.convert"},
    "onnxruntime": {"video_emotions.emotions", "video_models.convert"},
    "tensorflow": {"video_emotions.emotions", "video_models.convert"},
    "boto3": {"video_common.aws.clients"},
    "botocore": {"video_common.aws.clients"},
}
LAYERS = [
    {"handler"},
    {"api", "uploads", "pool", "executions"},
    {"worker"},
    {"long_videos"},
    {"segmented", "merging", "lengths"},
    {"pipeline", "outline"},
    {"responses", "rendering", "workspace", "observe", "reader", "child", "lease", "outcomes"},
    {"pace", "tasks", "records"},
    {"video_request", "frames", "child_process", "advice", "emotions", "settings", "telemetry", "faces.finder"},
    {"slices", "segments", "search", "follower"},
    {"plan", "aggregate", "faces.haar", "faces.yunet", "tracks"},
    {"probe", "faces.crops", "faces.sweep", "parallel", "watchdog", "people", "interval", "assignment", "cuts"},
    {"tabulated"},
    {"faces.detector", "decoder", "faces"},
    {"containers", "picture", "av_frames", "av_packets", "av_stream", "answers", "sample_tables"},
    {"bitstream", "display", "packet_index", "packets", "sniffing", "tones", "tables", "memory", "facts", "wire"},
    {"sandbox", "child_errors"},
    {"boxes", "deadline", "units", "work", "encryption", "seccomp", "progress", "remedies", "supported"},
    {"remote_file", "read_ahead"},
    {"system_calls"},
]
"""Of video_emotions, upper first: nothing imports from a layer above its own."""
STRANGERS = {"testbed": {"tests", "benchmarks"}, "tests": {"benchmarks"}, "benchmarks": {"tests"}}
"""Folders, and those that they do not import. What tests and benchmarks share is in the testbed."""


def modules() -> dict[str, Path]:
    found = {}
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            dotted = ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
            found[dotted] = path
    return found


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                pytest.fail(f"{path}: write the whole name of what is imported")
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_known_in_its_places_only(library):
    users = {
        module
        for module, path in modules().items()
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    assert users <= ONLY_IN[library]
    assert users, f"no module imports {library}: fix this table"


@pytest.mark.parametrize(("folder", "strangers"), STRANGERS.items())
def test_tests_and_benchmarks_do_not_import_each_other(folder, strangers):
    paths = list((ROOT / folder).rglob("*.py"))
    assert paths
    for path in paths:
        assert not {name.split(".")[0] for name in imports(path)} & strangers, path


def test_only_the_settings_read_the_environment():
    readers = {m for m, path in modules().items() if "os.environ" in path.read_text() or "getenv" in path.read_text()}
    # emotions and convert set what DeepFace and TensorFlow read when they are imported, and main what Powertools reads
    assert readers == {
        *("video_emotions.settings", "video_jobs.settings"),
        *("video_emotions.emotions", "video_models.convert"),
        *("video_emotions_cli.main", "video_emotions_cli.local"),
    }


def test_nothing_imports_from_a_layer_above_its_own():
    layer_of = {f"video_emotions.{name}": depth for depth, names in enumerate(LAYERS) for name in names}
    mine = {module: path for module, path in modules().items() if module.startswith("video_emotions.")}
    assert set(mine) == set(layer_of), "a module has no layer"
    for module, path in mine.items():
        for name in imports(path) & set(layer_of):
            assert layer_of[name] >= layer_of[module], f"{module} imports {name}"


def test_the_shared_layer_and_the_models_know_nothing_of_the_function():
    for module, path in modules().items():
        if module.startswith(("video_emotions_cli", "video_emotions_client")):
            continue
        functions = [name for name in imports(path) if name.startswith(("video_emotions", "video_jobs"))]
        if not module.startswith(("video_emotions", "video_jobs")):
            assert not functions, module
        # and neither function knows the other
        assert {name.split(".")[0] for name in functions} <= {module.split(".")[0]}, module


def test_the_client_knows_the_contract_only():
    for module, path in modules().items():
        known = {name.split(".")[0] for name in imports(path) if name.startswith("video_")}
        if module.startswith("video_emotions_client"):
            assert known <= {"video_common", "video_emotions_client"}, module


def test_the_table_of_routes_imports_the_standard_library_only():
    names = {name.split(".")[0] for name in imports(PACKAGES["video_common"] / "routes.py")}
    assert names <= sys.stdlib_module_names


def test_the_report_imports_the_standard_library_only():
    names = {name.split(".")[0] for name in imports(PACKAGES["video_report"] / "__init__.py")}
    assert names <= sys.stdlib_module_names


def test_aggregation_imports_no_library():
    mine = ("aggregate", "people", "boxes")
    own = {name for module in mine for name in imports(PACKAGES["video_emotions"] / f"{module}.py")}
    others = {name for name in own if not name.startswith(("video_emotions.boxes", "video_emotions.people"))}
    assert {name.split(".")[0] for name in others} <= {
        "collections",
        "dataclasses",
        "typing",
        "video_common",
    }


def loaded_after(statement: str, *libraries: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*[name for name in {libraries!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_only_the_chosen_engine_is_imported(models_dir):
    load = (
        "from pathlib import Path; from video_common.schema import Engine;"
        "from video_emotions.emotions import load_model;"
        f"load_model('compact', Engine.{{}}, Path({str(models_dir)!r}), 1)"
    )
    assert loaded_after(load.format("ONNX"), "tensorflow", "onnxruntime", "torch") == {"onnxruntime"}
    assert loaded_after(load.format("TENSORFLOW"), "tensorflow", "onnxruntime", "torch") == {"tensorflow"}


def test_errors_limits_and_schema_bring_nothing_heavy():
    heavy = ("numpy", "cv2", "boto3", "av", "deepface", "aws_lambda_powertools")
    assert loaded_after("import video_common.errors, video_common.limits, video_common.result", *heavy) == set()


def test_the_jobs_function_brings_nothing_heavy():
    start = (
        "import os; os.environ |= {'UPLOADS_BUCKET': 'u', 'RESULTS_BUCKET': 'r', 'JOBS_TABLE': 'j'};"
        "import video_jobs.handler"
    )
    assert loaded_after(start, "numpy", "cv2", "av", "deepface", "boto3", "requests") == set()


def test_a_function_that_answers_http_does_not_wait_for_what_it_never_uses(models_dir):
    # boto3 is for uploads; gdown and requests, which DeepFace imports, for downloads
    start = (
        f"import os; os.environ |= {{'EMOTION_MODEL': 'compact', 'MODELS_DIR': {str(models_dir)!r}}};"
        "import video_emotions.handler"
    )
    assert loaded_after(start, "boto3", "botocore.session", "gdown", "requests", "aws_xray_sdk", "pandas") == set()
