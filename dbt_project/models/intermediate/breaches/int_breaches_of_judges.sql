{#- A judge that no longer gives the verdicts that it gave to the same answers. -#}
with anchors as (
    select * from {{ ref('fct_judge_anchors_daily') }}
),

judged as (
    select
        day,
        judge,
        {{ gathered("route || '/' || criterion", "route || '/' || criterion") }} as criteria
    from anchors
    where route <> '*'
    group by day, judge
),

changed as (
    select
        anchors.*,
        judged.criteria
    from anchors
    left join judged on anchors.day = judged.day and anchors.judge = judged.judge
    where anchors.route = '*' and (anchors.is_changed or anchors.is_ongoing)
)

select
    day,
    'judge_changed' as kind,
    {{ subject_part('judge') }} as subject,
    cast(null as {{ type_string() }}) as severity,
    is_changed as is_start,
    {{ judge_changed_sentence() }} as summary,
    '' as explanation,
    {{ json_object([
        ('judge', 'judge'),
        ('criteria', 'criteria'),
        ('served_names', 'served_names'),
        ('fingerprints', 'fingerprints'),
        ('agreement', 'agreement'),
        ('agreement_before', 'agreement_before'),
        ('unlike', 'unlike'),
        ('unlike_before', 'unlike_before'),
        ('window_nights', 'window_nights'),
        ('n_items', 'n_items'),
        ('n_nights', 'n_nights'),
        ('p_value', 'p_value'),
        ('q_value', 'q_value'),
    ]) }} as evidence_json
from changed
