"""A round merges six checkpoints of CLIP-ViT-B/32 size, from files to a file; bench/sides/merge.ts makes them.

    merge.py STACK METHOD        fusion_bench, mergekit or torch (a plain transcription); average, task_arithmetic or ties
"""

import os
import shutil
import sys
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path

from contest import report_missing, serve, torch

TASKS = ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"]
FOLDER = Path(os.environ.get("DAMLAB_BENCH_MODELS") or Path(tempfile.gettempdir()) / "damlab-bench-models")


def fusion_bench(method, out):
    from fusion_bench.method import SimpleAverageAlgorithm, TaskArithmeticAlgorithm, TiesMergingAlgorithm
    from transformers import CLIPVisionModelWithProjection

    def run():
        names = {**({} if method == "average" else {"_pretrained_": "base"}), **{task: task for task in TASKS}}
        pool = {name: CLIPVisionModelWithProjection.from_pretrained(FOLDER / place) for name, place in names.items()}
        if method != "average":
            # The algorithm leaves the projection out of the merge, and then out of the state that it loads.
            pool["_pretrained_"].load_state_dict = partial(pool["_pretrained_"].load_state_dict, strict=False)
        algorithm = {
            "average": lambda: SimpleAverageAlgorithm(),
            "task_arithmetic": lambda: TaskArithmeticAlgorithm(scaling_factor=0.3),
            "ties": lambda: TiesMergingAlgorithm(scaling_factor=0.3, threshold=20, remove_keys=["visual_projection.weight"], merge_func="sum"),
        }[method]()
        with torch.no_grad():
            algorithm.run(pool).save_pretrained(out)

    return run, {"fusion_bench": metadata.version("fusion_bench")}


def mergekit(method, out):
    import yaml
    from mergekit.scripts.merge_raw_pytorch import main

    file = lambda name: str(FOLDER / name / "model.safetensors")
    parameters = {"weight": 1.0, **({"density": 0.2} if method == "ties" else {})}
    config = {"merge_method": method, "models": [{"model": file(task), "parameters": parameters} for task in TASKS]}
    if method == "average":
        config.update(merge_method="linear", parameters={"normalize": True})
    else:
        config.update(base_model=file("base"), parameters={"lambda": 0.3, "normalize": False})
    out.mkdir(parents=True)
    path = out / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return lambda: main.main([str(path), str(out)], standalone_mode=False), {"mergekit": metadata.version("mergekit")}


def plain_torch(method, out):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test/merging/fixtures"))
    from references import average, task_arithmetic, ties_global
    from safetensors.torch import load_file, save_file

    merge = {"average": average, "task_arithmetic": task_arithmetic, "ties": ties_global}[method]
    out.mkdir(parents=True)

    def run():
        base, *models = [load_file(FOLDER / name / "model.safetensors") for name in ["base", *TASKS]]
        kept = {"visual_projection.weight": base.pop("visual_projection.weight")}
        save_file({**merge(base, models), **kept}, out / "model.safetensors")

    return run, {}


def main(stack, method):
    if not FOLDER.exists():
        return report_missing(f"no checkpoints in {FOLDER}: damlab's side makes them")
    out = FOLDER / f"out-{stack}-{os.getpid()}"
    try:
        run, versions = {"fusion_bench": fusion_bench, "mergekit": mergekit, "torch": plain_torch}[stack](method, out)
    except ImportError as error:
        return report_missing(f"{stack} is not installed: {error}")
    serve(lambda: run() and None, **versions)
    shutil.rmtree(out, ignore_errors=True)


main(*sys.argv[1:])
