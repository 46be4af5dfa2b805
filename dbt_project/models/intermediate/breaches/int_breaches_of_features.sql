with skew as (
    select * from {{ ref('fct_feature_skew_daily') }}
    where
        (is_breach or is_ongoing)
        and model_served = '*'
        and prompt_version = '*'
        -- Where one member of the mix falls, another one rises. Only the rising one is reported.
        and not (
            (feature like 'model:%' or feature like 'prompt:%')
            and coalesce(effect < 0, value_current < value_reference)
        )
),

features as (
    select * from {{ ref('features') }}
),

causes as (
    select * from {{ ref('int_breach_causes_worded') }}
),

examples as (
    select * from {{ ref('int_breach_examples') }}
),

worded as (
    select
        skew.*,
        features.kind as kind_of_value,
        features.grid,
        features.severity,
        causes.cause,
        causes.sentence as cause_sentence,
        examples.example_call_ids,
        case when features.kind = 'share' then '' else 'mean ' || features.description || ' per ' end
        || case skew.side when 'pair' then 'call' else skew.side end
        || case when features.kind = 'share' then 's ' || features.description else '' end
        -- The mix of calls: "answered by", followed by the member.
        || case
            when features.feature <> skew.feature
                then ' ' || substring(skew.feature, {{ length('features.feature') }} + 1)
            else ''
        end as feature_words,
        coalesce(skew.effect > 0, skew.value_current > skew.value_reference) as is_risen,
        -- Weekends differ from the mean of the window, and levels change.
        coalesce(
            (skew.effect > 0) <> (skew.value_current > skew.value_reference)
            or 2 * abs(skew.value_expected - skew.value_reference) > abs(skew.value_current - skew.value_reference),
            false
        ) as is_beyond_expected,
        2 * abs(skew.value_constant_mix - skew.value_reference)
        < abs(skew.value_current - skew.value_reference) as is_of_mix
    from skew
    inner join features on {{ seed_feature('skew.feature') }} = features.feature
    left join causes
        on
            skew.reference = 'trailing'
            and skew.day = causes.day
            and skew.route = causes.route
            and skew.side = causes.side
            and skew.feature = causes.feature
    left join examples
        on
            skew.day = examples.day
            and skew.route = examples.route
            and skew.side = examples.side
            and skew.feature = examples.feature
)

select
    day,
    case when reference = 'trailing' then 'drift' else 'skew' end as kind,
    {{ subject_part('route') }} || '/' || side || '/' || {{ subject_part('feature') }} as subject,
    severity,
    is_breach as is_start,
    case
        when reference = 'trailing' then {{ drift_sentence() }}
        else {{ skew_sentence() }}
    end as summary,
    {{ topic_mix_words() }} || coalesce(cause_sentence, '') as explanation,
    {{ json_object([
        ('route', 'route'),
        ('side', 'side'),
        ('feature', 'feature'),
        ('reference', 'reference'),
        ('value_reference', 'value_reference'),
        ('value_current', 'value_current'),
        ('value_expected', 'value_expected'),
        ('value_constant_mix', 'value_constant_mix'),
        ('n_reference', 'n_reference'),
        ('n_current', 'n_current'),
        ('psi', 'psi'),
        ('ks', 'ks'),
        ('share_delta', 'share_delta'),
        ('p_value', 'p_value'),
        ('q_value', 'q_value'),
        ('cause', 'cause'),
        ('example_call_ids', 'example_call_ids'),
    ]) }} as evidence_json
from worded
