# syntax=docker/dockerfile:1
# The GPU image. Not built in this project's own runs, which have no container engine: it is linted and read by tests.
#
#   docker build --secret id=HF_TOKEN,env=HF_TOKEN \
#     --build-arg BASE_IMAGE=python@sha256:<digest of a 3.11 image with a C compiler> \
#     --build-arg MODEL_REVISION=<commit of the model> --build-arg GIT_COMMIT="$(git rev-parse HEAD)" .
#
# The arguments without a default are required: a digest or a revision that nobody chose would be an invented one.
ARG BASE_IMAGE
FROM ${BASE_IMAGE}

ARG BASE_IMAGE
ARG MODEL_REVISION
ARG GIT_COMMIT
ARG MODEL_ID=Puneetrinity/qwen2-7b-career

SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN [[ "${BASE_IMAGE}" =~ @sha256:[0-9a-f]{64}$ ]] || { echo "BASE_IMAGE must be named by digest" >&2; exit 1; }; \
    [[ "${MODEL_REVISION:-}" =~ ^[0-9a-f]{40}$ ]] || { echo "MODEL_REVISION must be a full commit" >&2; exit 1; }; \
    [[ "${GIT_COMMIT:-}" =~ ^[0-9a-f]{40}$ ]] || { echo "GIT_COMMIT must be a full commit" >&2; exit 1; }

# The versions of the `gpu` extra: its names, its constraints, and pyproject.toml's overrides, which uv reads where it
# runs. The files are mounted for this step; no layer holds them.
WORKDIR /build
RUN --mount=type=bind,source=pyproject.toml,target=/build/pyproject.toml \
    --mount=type=bind,source=constraints-gpu.txt,target=/build/constraints-gpu.txt \
    python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==0.13.9 && \
    /opt/uv/bin/uv pip install --system --no-cache --constraint constraints-gpu.txt runpod vllm torch uvloop && \
    rm -rf /opt/uv

# The model is part of the image: a worker starts without asking anybody for it. The token is mounted as a secret, so
# that neither a layer nor the history holds it. This comes before the code, which changes more often.
RUN --mount=type=secret,id=HF_TOKEN,env=HF_TOKEN,required=false \
    HF_HOME=/tmp/hf hf download "${MODEL_ID}" --revision "${MODEL_REVISION}" --local-dir /models/model && \
    rm -rf /tmp/hf /models/model/.cache

RUN useradd --create-home --uid 10001 worker
WORKDIR /app
COPY worker/ worker/

# The safe pair: MAX_NUM_BATCHED_TOKENS is never below MAX_MODEL_LEN. (DL3064 takes its name for a secret's.)
# hadolint ignore=DL3064
ENV MODEL_PATH=/models/model \
    MAX_MODEL_LEN=4096 \
    MAX_NUM_BATCHED_TOKENS=4096 \
    GIT_COMMIT=${GIT_COMMIT} \
    HF_HUB_OFFLINE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.revision="${GIT_COMMIT}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}" \
      golive.model="${MODEL_ID}" \
      golive.model.revision="${MODEL_REVISION}"

USER 10001
CMD ["python3", "-m", "worker"]
