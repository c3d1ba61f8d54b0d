"""The references' side of the contestants' protocol; see bench/harness/contestant.ts. Import it first: it tells which packages are missing."""

import json
import os
import sys
import time

try:
    import torch
    import transformers
except ImportError as error:
    print(json.dumps({"missing": f"Python lacks a package of bench/reference/requirements.txt: {error}"}), flush=True)
    sys.exit(0)

THREADS = 2
torch.set_num_threads(THREADS)
DEVICE = os.environ.get("DAMLAB_BENCH_DEVICE", "cpu")
if DEVICE == "cuda" and not torch.cuda.is_available():
    print(json.dumps({"missing": "PyTorch sees no CUDA device"}), flush=True)
    sys.exit(0)
torch.set_default_device(DEVICE)

DESK = dict(hidden_size=96, intermediate_size=384, num_hidden_layers=4, num_attention_heads=4, patch_size=8, image_size=32, projection_dim=64)
B32 = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, patch_size=32, image_size=224, projection_dim=512)
SIZES = {"desk": DESK, "b32": B32}


def tower(size):
    """A CLIP vision tower with random weights."""
    torch.manual_seed(0)
    config = transformers.CLIPVisionConfig(**SIZES[size], hidden_act="quick_gelu")
    return transformers.CLIPVisionModelWithProjection(config)


def images(size, count, seed=0):
    side = SIZES[size]["image_size"]
    return torch.randn(count, 3, side, side, generator=torch.Generator("cpu").manual_seed(seed), device="cpu").to(DEVICE)


def report_missing(reason):
    """Says that this contestant cannot run here."""
    print(json.dumps({"missing": reason}), flush=True)


def serve(work, **facts):
    """Runs `work` for each line `round`; numbers that it returns are reported with the time."""
    wait = torch.cuda.synchronize if DEVICE == "cuda" else lambda: None
    facts = {**facts, **({"device": torch.cuda.get_device_name()} if DEVICE == "cuda" else {})}
    print(json.dumps({"ready": {"torch": torch.__version__, "transformers": transformers.__version__, **facts}}), flush=True)
    for line in sys.stdin:
        if line.strip() != "round":
            continue
        began = time.perf_counter()
        found = work()
        wait()
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, **(found if isinstance(found, dict) else {})}), flush=True)
