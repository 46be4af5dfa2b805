# genchi with everything that it needs: nothing is built or downloaded when it runs. flows/README.md says how to run it.
ARG PYTHON=3.11.14-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /src
# uv comes from the lock too. It refuses a package whose hash is not the lock's.
COPY requirements.lock ./
RUN sed -n '/^uv==/,/# via/p' requirements.lock > uv.txt \
    && pip install --no-cache-dir --no-deps --require-hashes -r uv.txt \
    && python -m venv --without-pip /opt/genchi
# The libraries are a layer of their own, which a change of genchi leaves as it is.
COPY pyproject.toml ./
RUN uv pip install --no-cache --python /opt/genchi/bin/python --compile-bytecode \
    --constraints requirements.lock -r pyproject.toml
COPY README.md LICENSE .gitignore ./
COPY flows ./flows
COPY expectations ./expectations
COPY dbt_project ./dbt_project
RUN uv build --no-cache --wheel --build-constraints requirements.lock --require-hashes --out-dir dist \
    && uv pip install --no-cache --python /opt/genchi/bin/python --compile-bytecode --no-deps dist/genchi-*.whl

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="genchi" \
      org.opencontainers.image.description="The nightly check of an LLM application, from its own logs" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 genchi \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin genchi
COPY --from=build /opt/genchi /opt/genchi
# The root file system may be read-only: what libraries keep goes to /tmp, and everything of genchi to the workspace.
ENV PATH=/opt/genchi/bin:$PATH \
    HOME=/tmp \
    PREFECT_HOME=/tmp/prefect \
    PREFECT_UI_STATIC_DIRECTORY=/tmp/prefect/ui \
    DO_NOT_TRACK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /workspace
ENTRYPOINT ["genchi"]
CMD ["--help"]
