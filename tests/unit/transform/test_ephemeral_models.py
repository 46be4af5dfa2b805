"""What genchi puts into the SQL of a model is what dbt would put there itself; of the models: test_dialects.py."""

from dataclasses import dataclass

import pytest
from dbt import compilation

from flows.transform import ephemeral_models


@dataclass
class Cte:
    """As dbt's InjectedCTE."""

    sql: str


CTES = [Cte(" __dbt__cte__a as (\nselect ';' as one -- with\n)"), Cte(" __dbt__cte__b as (\nselect 2\n)")]
DBTS_OWN = compilation.inject_ctes_into_sql


TEXTS = {
    "plain": "select * from __dbt__cte__a",
    "space": "\n\n  select 1\n",
    "with": "with own as (select 1) select * from own",
    "capitals": "\n\nWITH\n\n  own as (select 1)\nselect * from own\n",
    "recursive": "with recursive own as (select 1) select * from own",
    "comments": "-- with what\n/* and with\n what */ -- more\n\nwith own as (select 1) select 1",
    "a comment and no with": "\n-- with what\nselect 1",
    "a name that begins so": "withdrawn",
    "a comment to the end": "select 1 -- with",
}


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("name", TEXTS)
def test_the_text_is_that_of_dbt(name: str, count: int) -> None:
    assert ephemeral_models.inject(TEXTS[name], CTES[:count]) == DBTS_OWN(TEXTS[name], CTES[:count])


def test_dbt_uses_it() -> None:
    ephemeral_models.install()
    assert compilation.inject_ctes_into_sql is ephemeral_models.inject
