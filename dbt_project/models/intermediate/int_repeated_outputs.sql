with calls as (
    select * from {{ ref('int_calls') }}
    where not is_cache_hit and not is_error and output_text is not null
)

select
    day,
    route,
    {{ hash_of('output_text') }} as text_hash
from calls
group by day, route, {{ hash_of('output_text') }}
-- The same question asked again may be answered with the same text.
having min({{ hash_of('input_text') }}) < max({{ hash_of('input_text') }})
