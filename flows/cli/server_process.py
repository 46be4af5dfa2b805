"""The process of the temporary Prefect server. Its argument is the port.

It ends when its stdin does, which is a pipe from genchi: whatever ends genchi ends the server, even while it starts.
"""

import sys

from flows.child_processes import end_with_parent


def main(port: int) -> None:
    """Serve Prefect's API on 127.0.0.1. Exits with 3 if the port is taken, as uvicorn does."""
    end_with_parent()
    import uvicorn  # noqa: PLC0415 - after the thread has started

    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
