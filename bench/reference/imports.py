"""Starts Python and imports torch and transformers' CLIP tower."""

import subprocess
import sys

from contest import serve

serve(lambda: subprocess.run([sys.executable, "-c", "import torch; from transformers import CLIPVisionModelWithProjection"], check=True) and None)
