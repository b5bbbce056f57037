# petlab in a container, built from these sources.
#
#   docker build -t petlab .                                                     CPU
#   docker build -t petlab:cuda --build-arg BASE=nvidia/cuda:12.8.1-base-ubuntu24.04 .
#   docker run --rm -v "$PWD/results:/results" petlab run harness/protocols/demo.ini --store /results/demo.sqlite
#   docker run --rm --gpus all petlab:cuda plugins
#
# BASE: Debian 12 or 13, or Ubuntu 24.04, with or without CUDA. Which build of LibTorch comes with the
# torch wheel, CPU or CUDA, is decided by the package index: PIP_INDEX_URL chooses another one.
ARG BASE=debian:12
FROM ${BASE}

ARG PIP_INDEX_URL=
ARG PETLAB_JOBS=
ENV DEBIAN_FRONTEND=noninteractive

RUN apt-get update && \
    apt-get install --no-install-recommends -y ca-certificates git python3 python3-venv && \
    rm -rf /var/lib/apt/lists/*

# Packages and LibTorch first: layers that a change of the sources does not repeat.
WORKDIR /opt/petlab
COPY harness/setup harness/setup
RUN harness/setup/system_packages.sh && rm -rf /var/lib/apt/lists/*
RUN PIP_INDEX_URL="${PIP_INDEX_URL}" PIP_NO_CACHE_DIR=1 harness/setup/libtorch.sh

COPY . .
RUN PETLAB_JOBS="${PETLAB_JOBS}" harness/setup/build.sh petlab petlab_plugins && \
    find build -name '*.o' -delete && find build -name 'cmake_pch*' -delete && \
    harness/setup/icon_home.sh && rm -rf datasets/cache/iconify-json-*

ENV PATH=/opt/petlab/build/bin:$PATH
ENTRYPOINT ["petlab"]
CMD ["help"]
