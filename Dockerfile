# The platform's code: Dagster's code location, webserver and daemon, `mdplatform migrate` and the live page.
# Two stages of one base: what installs is left behind, and with it pip and its cache. No compiler is needed.
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update -qq && apt-get install -qq --yes --no-install-recommends binutils >/dev/null
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

# Less what a server does not open: pandas and numpy (frames and exports of two formats are for analysts' own machines, and
# say so), tests, headers, maps of the web pages' sources, a second copy of GraphiQL, Kubernetes' second client and the
# sources of its first, which are generated, Arrow's Flight and what of it is there three times, and symbols
# for debuggers where wheels hold many (not in every library: some of those that a wheel has moved do not survive it).
RUN /opt/venv/bin/pip uninstall --yes --quiet numpy pandas setuptools pip \
 && cd /opt/venv/lib/python3.11/site-packages \
 && find . -depth -type d -name tests -exec rm -r {} + \
 && find . -type f '(' -name '*.map' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.a' ')' -delete \
 && rm -rf dagster_webserver/graphiql kubernetes/aio pyarrow/include pyarrow/src pyarrow/*flight* \
      pyarrow/_pyarrow_cpp_tests.* \
      pyarrow/libarrow_python*.so.*.*.* pyarrow/libarrow_python.so pyarrow/libarrow_python_parquet_encryption.so \
 && python -m compileall -q -b kubernetes \
 && find kubernetes -name '*.py' -delete && find kubernetes -depth -name __pycache__ -exec rm -r {} + \
 && find aiohttp clickhouse_connect cryptography frozenlist greenlet httptools lz4 multidict propcache pyarrow sqlalchemy \
      uvloop watchfiles yaml zstandard -name '*.so' -exec strip --strip-debug {} + \
 && /opt/venv/bin/python -c "import mdplatform.definitions, mdplatform.read, aiohttp, dagster_k8s, httptools, lz4.frame, psycopg2; \
      import sqlalchemy, uvloop, watchfiles, yaml.cyaml, zstandard, clickhouse_connect.driverc.dataconv; \
      import cryptography.x509, pyarrow.compute, pyarrow.csv, pyarrow.dataset, pyarrow.fs, pyarrow.parquet"
# Whoever calls Dagster's webserver by its name, as its chart for Kubernetes does, gets the one behind the guard.
RUN printf '#!/bin/sh\nexec python -m mdplatform.defs.webserver "$@"\n' > /opt/venv/bin/dagster-webserver

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
