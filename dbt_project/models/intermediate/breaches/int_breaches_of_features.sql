with skew as (
    select * from {{ ref('fct_feature_skew_daily') }}
    where
        (is_breach or is_ongoing)
        and model_served = '*'
        and prompt_version = '*'
        -- Where one member of the mix falls another one rises, and tells it.
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
        features.kind as feature_kind,
        features.severity,
        causes.cause,
        causes.sentence as cause_sentence,
        examples.example_call_ids,
        case
            -- The mix of calls: "answered by", and then whose share it is.
            when features.feature <> skew.feature
                then features.description || ' ' || substr(skew.feature, length(features.feature) + 1)
            else features.description
        end as description,
        case skew.side when 'pair' then 'calls' else skew.side || 's' end as noun,
        case when skew.reference = 'trailing' then 'drift' else 'skew' end as kind,
        case
            when skew.reference = 'trailing' then 'trailing {{ var("window_days") }} days' else 'dev set'
        end as reference_words,
        case
            when coalesce(skew.effect > 0, skew.value_current > skew.value_reference) then 'rose' else 'fell'
        end as direction,
        -- Weekends differ from the mean of the window, and levels move.
        coalesce(
            (skew.effect > 0) <> (skew.value_current > skew.value_reference)
            or 2 * abs(skew.value_expected - skew.value_reference) > abs(skew.value_current - skew.value_reference),
            false
        ) as is_of_its_own,
        case features.kind
            when 'share' then {{ percent('skew.value_constant_mix') }} else {{ figure('skew.value_constant_mix') }}
        end as constant_mix_words,
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
    kind,
    {{ subject_part('route') }} || '/' || side || '/' || {{ subject_part('feature') }} as subject,
    severity,
    is_breach as is_start,
    case
        when feature_kind = 'share' and is_of_its_own
            then
                'On route ' || route || ', ' || noun || ' ' || description || ' ' || direction
                || ' to ' || {{ percent('value_current') }} || ' on ' || cast(day as varchar)
                || ', where ' || {{ percent('value_expected') }} || ' was to be expected of such a day ('
                || reference_words || ': ' || {{ percent('value_reference') }} || ').'
        when feature_kind = 'share'
            then
                'On route ' || route || ', ' || noun || ' ' || description || ' ' || direction
                || ' from ' || {{ percent('value_reference') }} || ' (' || reference_words || ')'
                || ' to ' || {{ percent('value_current') }} || ' on ' || cast(day as varchar) || '.'
        when is_of_its_own
            then
                'On route ' || route || ', ' || description || ' in ' || noun || ' ' || direction
                || ', for such a day, to ' || {{ figure('value_current') }} || ' on average on '
                || cast(day as varchar) || ' (' || reference_words || ': ' || {{ figure('value_reference') }} || ').'
        else
            'On route ' || route || ', ' || description || ' in ' || noun || ' ' || direction
            || ' from ' || {{ figure('value_reference') }} || ' on average (' || reference_words || ')'
            || ' to ' || {{ figure('value_current') }} || ' on ' || cast(day as varchar)
            || ' (PSI ' || {{ figure('psi') }} || ').'
    end as summary,
    coalesce(
        case
            when is_of_mix then ' At a constant mix of topics it would be ' || constant_mix_words
            else ' At a constant mix of topics it is ' || constant_mix_words
        end || case when is_of_mix then ': the mix of questions moved.' else ': it is not the mix of questions.' end,
        ''
    )
    || coalesce(cause_sentence, '') as explanation,
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
