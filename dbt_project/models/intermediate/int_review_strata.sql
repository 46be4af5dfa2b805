{#- A table, because models in Python cannot read a model that is none. -#}
{{ config(materialized='table') }}

select
    day,
    route,
    criterion,
    criterion_version,
    judge,
    stratum,
    stratum_size,
    sample_size
from {{ ref('stg_review_strata') }}
