with graded as (
    select * from {{ ref('stg_anchor_tests') }}
    where {{ is_day_to_build(ref('stg_anchor_tests')) }}
),

controlled as (
    select * from {{ ref('int_night_tests') }}
    where side = 'judge'
)

select
    graded.day,
    graded.judge,
    graded.route,
    graded.criterion,
    graded.n_items,
    graded.n_nights,
    graded.window_nights,
    graded.agreement,
    graded.agreement_before,
    graded.unlike,
    graded.unlike_before,
    graded.served_names,
    graded.fingerprints,
    controlled.p_value,
    controlled.q_value,
    controlled.is_breach as is_changed,
    controlled.is_ongoing
from graded
left join controlled
    on
        graded.day = controlled.day
        and controlled.feature = 'judge:' || graded.judge
