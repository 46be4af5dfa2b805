"""The process of the temporary Prefect server. Its argument is the port.

It ends when its stdin does, which is a pipe from genchi: whatever ends genchi ends the server, even while it starts.
"""

import os
import sys
import threading


def main(port: int) -> None:
    """Serve Prefect's API on 127.0.0.1. Exits with 3 if the port is taken, as uvicorn does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn  # noqa: PLC0415 - after the thread has started

    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
