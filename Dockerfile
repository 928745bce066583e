# The platform's code: Dagster's code location, webserver and daemon, `mdplatform migrate` and the live page.
# Two stages of one base: what installs is left behind, and with it pip and its cache. No compiler is needed.
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Exactly the files whose hashes the lock holds (`make lock` writes it), all of them built already.
COPY requirements.lock /opt/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --require-hashes --only-binary :all: -r /opt/requirements.lock

# The code is used where it is copied to, with its SQL beside it. Compiled here: a server may not write there.
COPY pyproject.toml LICENSE README.md /opt/mdplatform/
COPY mdplatform /opt/mdplatform/mdplatform
COPY sql /opt/mdplatform/sql
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation -e /opt/mdplatform \
 && /opt/venv/bin/pip check \
 && /opt/venv/bin/python -m compileall -q /opt/mdplatform

# Less what a server does not open: tests, headers, maps of the web pages' sources, Kubernetes' second client.
RUN /opt/venv/bin/pip uninstall --yes --quiet setuptools pip \
 && cd /opt/venv/lib/python3.11/site-packages \
 && find . -depth -type d -name tests -exec rm -r {} + \
 && find . -type f '(' -name '*.map' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' ')' -delete \
 && rm -r kubernetes/aio

FROM python:3.11.14-slim-bookworm

COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/mdplatform /opt/mdplatform
COPY deploy/compose/dagster.yaml deploy/compose/workspace.yaml /opt/dagster/
# Volumes mounted at /var/lib/mdplatform take this owner on. Nothing else can be written to by it.
RUN useradd --uid 1000 --no-create-home --home-dir /var/lib/mdplatform mdplatform \
 && install -d -o mdplatform /var/lib/mdplatform
USER mdplatform
WORKDIR /opt/mdplatform
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DAGSTER_HOME=/opt/dagster MDPLATFORM_DATA_DIR=/var/lib/mdplatform
CMD ["mdplatform", "--help"]
