{{ config(materialized='table') }}

{#- Built in the middle of a night, it has that night's stages as far as they have ended, and all stages of the nights
    before: hence it is rebuilt completely. -#}
select
    day,
    run,
    stage,
    position,
    started_at,
    seconds,
    rows_written as rows, -- the contract's name for it -- noqa: RF04
    bytes_written as bytes,
    cost_usd,
    peak_memory_bytes,
    state
from {{ ref('stg_night_runs') }}
