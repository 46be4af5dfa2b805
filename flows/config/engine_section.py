"""The section `engine` of genchi.yaml: what computes the warehouse."""

from typing import Literal

from pydantic import Field, model_validator

from flows.config.sections import Section


class Engine(Section):
    """What computes the warehouse."""

    warehouse: Literal["duckdb", "spark"] = "duckdb"
    """`duckdb`: in this process. `spark`: on a Spark server (`pip install 'genchi[spark]'`); the marts are fetched."""
    remote: str | None = Field(default=None, repr=False)
    """Address of the server over Spark Connect, such as `sc://spark.example.com:15002`."""

    @model_validator(mode="after")
    def _has_its_server(self) -> "Engine":
        if self.warehouse == "spark" and not (self.remote or "").startswith(("sc://", "${")):
            raise ValueError("`warehouse: spark` needs `remote`, an address such as sc://127.0.0.1:15002")
        if self.warehouse != "spark" and self.remote:
            raise ValueError("`remote` is for `warehouse: spark`")
        return self
