# JupyterLab with damlab's kernel and engine native. Build from the clone's root:
#   docker build -f kernel-setup/docker/cpu.Dockerfile -t damlab .
#   docker run --rm -p 8888:8888 -v "$PWD/work:/opt/damlab/work" damlab
FROM node:20-bookworm

RUN apt-get update && apt-get install -y --no-install-recommends python3-venv python3-pip g++ && rm -rf /var/lib/apt/lists/*

ENV DAMLAB_NATIVE_HOME=/opt/damlab-native PATH=/opt/jupyter/bin:$PATH

COPY . /opt/damlab
WORKDIR /opt/damlab
RUN npm ci && npm run build && kernel-setup/docker/install.sh cpu /opt/jupyter && mkdir -p work && chown -R node .

# Notebooks find damlab from any folder below the clone; yours go to work/.
USER node
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser"]
