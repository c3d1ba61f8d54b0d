# JupyterLab with damlab's kernel and engine gpu. Build from the clone's root:
#   docker build -f kernel-setup/docker/gpu.Dockerfile -t damlab:gpu .
#   docker run --rm --gpus all -p 8888:8888 -v "$PWD/work:/opt/damlab/work" damlab:gpu
FROM node:20-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends python3-venv python3-pip g++ && rm -rf /var/lib/apt/lists/*

ENV DAMLAB_NATIVE_HOME=/opt/damlab-native PATH=/opt/jupyter/bin:$PATH
# CUDA comes with the engine; the driver comes from the host through the container toolkit.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY . /opt/damlab
WORKDIR /opt/damlab
RUN npm ci && npm run build && kernel-setup/docker/install.sh gpu /opt/jupyter && mkdir -p work && chown -R node .

# Notebooks find damlab from any folder below the clone; yours go to work/.
USER node
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser"]
