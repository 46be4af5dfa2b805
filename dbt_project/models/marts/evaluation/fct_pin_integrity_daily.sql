{{ config(materialized='table') }}

{#- Providers spread calls over several names: only a new name is a change. A night without an answer has no names:
    names are compared with the last night that has some. One row per night and model, so it is rebuilt completely. -#}
with canaries as (
    select * from {{ ref('stg_canaries') }}
    where run_id = {{ nightly_run_id('day') }}
),

named as (
    select
        day,
        model,
        lag(served_names) over (partition by model order by day) as last_served_names
    from canaries
    where {{ is_filled('served_names') }}
),

fingerprinted as (
    select
        day,
        model,
        lag(fingerprints) over (partition by model order by day) as last_fingerprints
    from canaries
    where {{ is_filled('fingerprints') }}
),

compared as (
    select
        canaries.*,
        named.last_served_names,
        fingerprinted.last_fingerprints,
        not {{ has_all('named.last_served_names', 'canaries.served_names') }} as is_renamed,
        not {{ has_all('fingerprinted.last_fingerprints', 'canaries.fingerprints') }} as is_refingerprinted,
        canaries.p_value <= {{ threshold('max_canary_p_value') }} as is_unlike
    from canaries
    left join named on canaries.day = named.day and canaries.model = named.model
    left join fingerprinted on canaries.day = fingerprinted.day and canaries.model = fingerprinted.model
)

select
    day,
    model,
    served_names,
    fingerprints,
    last_served_names,
    last_fingerprints,
    n_prompts,
    n_answers,
    p_value,
    is_unlike,
    is_renamed,
    is_refingerprinted,
    coalesce(is_unlike or is_renamed, is_unlike, is_renamed) as is_changed
from compared
