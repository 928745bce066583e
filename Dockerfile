# The platform's code: Dagster's code location, webserver and daemon, `mdplatform migrate` and the live page.
# Pinned like constraints.txt: the versions that the tests run with.
FROM python:3.11.14-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/mdplatform

# Dependencies first, so that a change of code does not install them again. dagster-postgres and dagster-k8s (for run
# pods) follow Dagster's version: 0.29.27 is the one released with 1.13.27.
COPY pyproject.toml constraints.txt LICENSE README.md ./
RUN mkdir mdplatform && touch mdplatform/__init__.py \
 && pip install -c constraints.txt -e . 'dagster-postgres==0.29.27' 'dagster-k8s==0.29.27' 'psycopg2-binary==2.9.13'

COPY mdplatform mdplatform
COPY sql sql
COPY deploy/compose/dagster.yaml deploy/compose/workspace.yaml /opt/dagster/

# Volumes mounted here take this owner on.
RUN useradd --uid 1000 --create-home mdplatform \
 && mkdir -p /var/lib/mdplatform /opt/dagster \
 && chown -R mdplatform /var/lib/mdplatform /opt/dagster
USER mdplatform
ENV DAGSTER_HOME=/opt/dagster MDPLATFORM_DATA_DIR=/var/lib/mdplatform
CMD ["mdplatform", "--help"]
