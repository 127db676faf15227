# The images: operator, server (NVIDIA GPU) and server-cpu. `python -m hack.images build` builds them with docker or buildah.
# What changes seldom lies below: Debian's packages, locked dependencies, and on top our own wheel out of dist/.
# The builder's own index addresses, certificates and caches come in as secrets and mounts, so that no layer holds them.
ARG BASE=debian:bookworm-slim
ARG ARCHITECTURES="LlamaForCausalLM Qwen2ForCausalLM Qwen2MoeForCausalLM Qwen3ForCausalLM Qwen3MoeForCausalLM Qwen3NextForCausalLM"

# uv, which installs everything else; no image contains it.
FROM ${BASE} AS tools
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/uv.txt /opt/uv.txt
RUN --mount=type=secret,id=environment --mount=type=secret,id=certificates --mount=type=secret,id=pip \
    if [ -f /run/secrets/environment ]; then . /run/secrets/environment; fi \
    && python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement /opt/uv.txt

# The same again for mounts: buildah before 1.29 mounts a stage out of its cache without the stage's own layers.
FROM tools AS uv

# What all images share: Debian's Python, an empty environment, and a home that any user may write to.
FROM ${BASE} AS python
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
RUN --mount=type=bind,from=uv,source=/opt/uv,target=/run/uv \
    /run/uv/bin/uv venv --no-cache --quiet --python /usr/bin/python3 /opt/qwen \
    && rm -f /opt/qwen/.lock \
    && mkdir --mode=1777 /var/cache/qwen
# A pod mounts /var/cache/qwen; its user has a number and no name, hence USER for those who ask for one.
ENV PATH=/opt/qwen/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/var/cache/qwen \
    USER=qwen \
    XDG_CACHE_HOME=/var/cache/qwen \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="qwen-operator" \
      org.opencontainers.image.description="Runs Qwen models on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"

# Our own code, installed once for all images.
FROM python AS wheel
COPY dist/*.whl /tmp/
RUN --mount=type=bind,from=uv,source=/opt/uv,target=/run/uv \
    /run/uv/bin/uv pip install --quiet --no-cache --offline --no-deps --compile-bytecode --python /opt/qwen/bin/python /tmp/*.whl \
    && rm -f /opt/qwen/.lock

FROM python AS operator
COPY requirements/operator.txt /opt/qwen/requirements.txt
RUN --mount=type=bind,from=uv,source=/opt/uv,target=/run/uv \
    --mount=type=cache,target=/run/uv-cache \
    --mount=type=secret,id=environment --mount=type=secret,id=certificates --mount=type=secret,id=uv \
    export UV_CACHE_DIR=/run/uv-cache UV_LINK_MODE=copy \
    && if [ -f /run/secrets/environment ]; then . /run/secrets/environment; fi \
    && /run/uv/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python /opt/qwen/bin/python /opt/qwen/requirements.txt \
    && rm -f /opt/qwen/.lock
USER 65532:65532
ENTRYPOINT ["qwen-operator"]
COPY --from=wheel /opt/qwen /opt/qwen

# What both kinds of server share. Caches are on the pod's scratch volume; nothing is reported to anybody.
FROM python AS serving
ENV QWEN_PRIMED_CACHE=/opt/qwen/vllm-cache \
    VLLM_CACHE_ROOT=/var/cache/qwen/vllm \
    VLLM_CONFIG_ROOT=/var/cache/qwen/vllm-config \
    TRITON_CACHE_DIR=/var/cache/qwen/vllm/triton \
    TORCHINDUCTOR_CACHE_DIR=/var/cache/qwen/torchinductor \
    NUMBA_CACHE_DIR=/var/cache/qwen/numba \
    HF_HOME=/var/cache/qwen/huggingface \
    HF_HUB_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    TRANSFORMERS_OFFLINE=1 \
    VLLM_NO_USAGE_STATS=1 \
    VLLM_DO_NOT_TRACK=1 \
    DO_NOT_TRACK=1
EXPOSE 8000 8001

FROM serving AS server-cpu
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libnuma1 libtcmalloc-minimal4 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY requirements/server-cpu.txt /opt/qwen/requirements.txt
# torch is linked against CUDA's libraries, so they must be there; what they load only beside a device is taken out (0.8 GB).
RUN --mount=type=bind,from=uv,source=/opt/uv,target=/run/uv \
    --mount=type=cache,target=/run/uv-cache \
    --mount=type=secret,id=environment --mount=type=secret,id=certificates --mount=type=secret,id=uv \
    export UV_CACHE_DIR=/run/uv-cache UV_LINK_MODE=copy \
    && if [ -f /run/secrets/environment ]; then . /run/secrets/environment; fi \
    && /run/uv/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python /opt/qwen/bin/python /opt/qwen/requirements.txt \
    && find /opt/qwen/lib -type f \( -name 'libcudnn_*' -o -name 'libomptarget*' -o -name '*.alt.so*' -o -name '*.a' -o -name '*.dbg' \) -delete \
    && rm -f /opt/qwen/.lock
# vLLM imports an architecture once to learn what it can do (8 s); the server takes what is learnt here to its own cache.
# One process looks at all of them here, where vLLM would start one for each (18 s instead of 90).
ARG ARCHITECTURES
RUN VLLM_CACHE_ROOT="${QWEN_PRIMED_CACHE}" python -c "from vllm.model_executor.models import registry; registry._run_in_subprocess = lambda look: look(); [registry.ModelRegistry.models[name].inspect_model_cls() for name in '${ARCHITECTURES}'.split()]" \
    && chmod -R a+rX "${QWEN_PRIMED_CACHE}" && rm -rf /var/cache/qwen/* /tmp/*
ENV LD_PRELOAD=libtcmalloc_minimal.so.4:/opt/qwen/lib/libiomp5.so
USER 65532:65532
ENTRYPOINT ["qwen-server"]
COPY --from=wheel /opt/qwen /opt/qwen

FROM serving AS server
# Triton compiles its driver module when it first sees a device, so this image alone keeps a C compiler and Python's headers.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libnuma1 python3-dev \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
COPY requirements/server-gpu.txt /opt/qwen/requirements.txt
RUN --mount=type=bind,from=uv,source=/opt/uv,target=/run/uv \
    --mount=type=cache,target=/run/uv-cache \
    --mount=type=secret,id=environment --mount=type=secret,id=certificates --mount=type=secret,id=uv \
    export UV_CACHE_DIR=/run/uv-cache UV_LINK_MODE=copy \
    && if [ -f /run/secrets/environment ]; then . /run/secrets/environment; fi \
    && /run/uv/bin/uv pip sync --quiet --require-hashes --compile-bytecode --python /opt/qwen/bin/python /opt/qwen/requirements.txt \
    && rm -f /opt/qwen/.lock
ARG ARCHITECTURES
RUN VLLM_CACHE_ROOT="${QWEN_PRIMED_CACHE}" python -c "from vllm.model_executor.models import registry; registry._run_in_subprocess = lambda look: look(); [registry.ModelRegistry.models[name].inspect_model_cls() for name in '${ARCHITECTURES}'.split()]" \
    && chmod -R a+rX "${QWEN_PRIMED_CACHE}" && rm -rf /var/cache/qwen/* /tmp/*
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 65532:65532
ENTRYPOINT ["qwen-server"]
COPY --from=wheel /opt/qwen /opt/qwen
