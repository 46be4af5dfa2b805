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

over_nights as (
    select
        *,
        coalesce(window_nights, 1) as nights_seen,
        coalesce(value_window, value_current) as value_now,
        coalesce(value_before_window, value_reference) as value_before,
        case when coalesce(window_nights, 1) = 1 then value_constant_mix end as value_mixed
    from skew
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
        causes.dimension as cause_dimension,
        causes.member as cause_member,
        causes.share as cause_share,
        causes.part as cause_part,
        causes.is_new as cause_is_new,
        causes.sentence as cause_sentence,
        examples.example_call_ids,
        case
            when features.kind = 'share'
                then
                    case skew.side when 'pair' then 'call' else skew.side end || 's '
                    || {{ share_words('skew.feature', 'features') }}
            else {{ number_words('skew.feature', 'skew.side', 'features') }}
        end as feature_words,
        coalesce(skew.effect > 0, skew.value_now > skew.value_before) as is_risen,
        -- Weekends differ from the mean of the window, and levels change.
        coalesce(
            (skew.effect > 0) <> (skew.value_now > skew.value_before)
            or 2 * abs(skew.value_expected - skew.value_before) > abs(skew.value_now - skew.value_before),
            false
        ) as is_beyond_expected,
        2 * abs(skew.value_mixed - skew.value_before) < abs(skew.value_now - skew.value_before) as is_of_mix
    from over_nights as skew
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
        ('value_reference', 'value_before'),
        ('value_current', 'value_now'),
        ('value_expected', 'value_expected'),
        ('value_constant_mix', 'value_mixed'),
        ('is_of_mix', 'is_of_mix'),
        ('window_nights', 'nights_seen'),
        ('n_reference', 'n_reference'),
        ('n_current', 'n_current'),
        ('psi', 'psi'),
        ('ks', 'ks'),
        ('share_delta', 'share_delta'),
        ('p_value', 'p_value'),
        ('q_value', 'q_value'),
        ('cause', 'cause'),
        ('cause_dimension', 'cause_dimension'),
        ('cause_member', 'cause_member'),
        ('cause_share', 'cause_share'),
        ('cause_part', 'cause_part'),
        ('cause_is_new', 'cause_is_new'),
        ('example_call_ids', 'example_call_ids'),
    ]) }} as evidence_json
from worded
