#!/usr/bin/env bash
# What the container images run, and CI too, so that it can't rot: the engine, JupyterLab in a virtual environment, the kernel.
# Usage: kernel-setup/docker/install.sh cpu|gpu FOLDER_OF_THE_ENVIRONMENT
# Needs Node 20 with npm, Python 3 with venv and pip, a C++ compiler. What is there already is kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind="${1:?expected cpu or gpu}" environment="${2:?expected a folder for the virtual environment}"

[[ -d node_modules ]] || npm ci

case "$kind" in
  cpu) node src/cli/damlab.cjs doctor --engine native > /dev/null 2>&1 || node src/cli/damlab.cjs setup native ;;
  # An image is built without a device: whether one computes shows when the container starts (damlab doctor --engine gpu).
  gpu) node src/cli/damlab.cjs setup native --gpu --without-device ;;
  *) echo "install.sh: expected cpu or gpu, got $kind" >&2; exit 2 ;;
esac

[[ -x "$environment/bin/jupyter" ]] || {
  python3 -m venv "$environment"
  "$environment/bin/python" -m pip install -q --disable-pip-version-check -r kernel-setup/docker/requirements.txt
}
node src/cli/damlab.cjs kernel install --prefix "$environment"

"$environment/bin/jupyter" lab --version > /dev/null
"$environment/bin/jupyter" kernelspec list | grep damlab > /dev/null
node src/cli/damlab.cjs doctor --engine native
