"""The reference stacks' side of the comparison; `compare.ts` calls it.

    stacks.py make FOLDER                    a base and six models of CLIP-ViT-B/32 size, seeded random numbers, float32
    stacks.py STACK METHOD FOLDER OUT        loads, merges, saves; STACK is fusion_bench, mergekit or torch (a plain transcription)
    stacks.py difference FILE FILE           the largest absolute difference of two checkpoints, and how many entries differ by more than 1e-6

Each prints one JSON line. Seconds are those of load + merge + save, imports left out; bytes are the peak of the process's resident memory.
"""

import json
import resource
import sys
import time
from functools import partial
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

TASKS = ["mnist", "cars", "resisc45", "eurosat", "svhn", "dtd"]


def make(folder):
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    config = CLIPVisionConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, image_size=224, patch_size=32, projection_dim=512)
    model = CLIPVisionModelWithProjection(config)
    model.save_pretrained(folder / "base")
    base = {name: value.clone() for name, value in model.state_dict().items()}
    for task in TASKS:
        for name, value in model.state_dict().items():
            if value.is_floating_point() and name.startswith("vision_model."):
                value.copy_(base[name]).add_(torch.randn_like(value), alpha=1e-4)
        model.save_pretrained(folder / task)
    return {"parameters": sum(value.numel() for value in base.values())}


def fusion_bench(method, folder, out):
    from fusion_bench.method import TaskArithmeticAlgorithm, TiesMergingAlgorithm
    from transformers import CLIPVisionModelWithProjection

    def run():
        names = {"_pretrained_": "base", **{task: task for task in TASKS}}
        pool = {name: CLIPVisionModelWithProjection.from_pretrained(folder / place) for name, place in names.items()}
        # The algorithm leaves the projection out of the merge, and then out of the state that it loads.
        pool["_pretrained_"].load_state_dict = partial(pool["_pretrained_"].load_state_dict, strict=False)
        if method == "task_arithmetic":
            algorithm = TaskArithmeticAlgorithm(scaling_factor=0.3)
        else:
            algorithm = TiesMergingAlgorithm(scaling_factor=0.3, threshold=20, remove_keys=["visual_projection.weight"], merge_func="sum")
        with torch.no_grad():
            algorithm.run(pool).save_pretrained(out)

    return run


def mergekit(method, folder, out):
    import yaml
    from mergekit.scripts.merge_raw_pytorch import main

    file = lambda name: str(folder / name / "model.safetensors")
    settings = {"lambda": 0.3, "normalize": False}
    parameters = {"weight": 1.0} if method == "task_arithmetic" else {"weight": 1.0, "density": 0.2}
    config = {
        "merge_method": method,
        "base_model": file("base"),
        "models": [{"model": file(task), "parameters": parameters} for task in TASKS],
        "parameters": settings,
    }
    out.mkdir(parents=True, exist_ok=True)
    path = out / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return lambda: main.main([str(path), str(out)], standalone_mode=False)


def plain_torch(method, folder, out):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test/merging/fixtures"))
    from references import task_arithmetic, ties_global

    def run():
        base, *models = [load_file(folder / name / "model.safetensors") for name in ["base", *TASKS]]
        kept = {"visual_projection.weight": base.pop("visual_projection.weight")}
        merge = task_arithmetic if method == "task_arithmetic" else ties_global
        out.mkdir(parents=True, exist_ok=True)
        save_file({**merge(base, models), **kept}, out / "model.safetensors")

    return run


def difference(first, second):
    largest, apart = 0.0, 0
    with safe_open(first, "pt") as a, safe_open(second, "pt") as b:
        assert set(a.keys()) == set(b.keys())
        for name in a.keys():
            gaps = (a.get_tensor(name) - b.get_tensor(name)).abs()
            largest = max(largest, gaps.max().item())
            apart += int((gaps > 1e-6).sum())
    return {"difference": largest, "entriesApart": apart}


def main():
    verb, *arguments = sys.argv[1:]
    if verb == "make":
        return make(Path(arguments[0]))
    if verb == "difference":
        return difference(*arguments)
    stack = {"fusion_bench": fusion_bench, "mergekit": mergekit, "torch": plain_torch}[verb]
    method, folder, out = arguments
    try:
        run = stack(method, Path(folder), Path(out))
    except ImportError as error:
        return {"missing": str(error)}
    began = time.perf_counter()
    run()
    return {"seconds": time.perf_counter() - began, "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


if __name__ == "__main__":
    print(json.dumps(main()))
