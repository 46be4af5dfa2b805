{#- The sentences of a breach: one macro per kind, and macros for explanations. Each is an expression over columns of
    the model that uses it; its comment lists these columns. Every sentence has a unit test with its whole text, in
    models/intermediate/breaches/unit_tests.yml. -#}


{#- Kinds of traffic. -#}

{#- volume. Columns: route, day, n, expected (ln(1 + calls)), nights_seen. -#}
{% macro volume_sentence() -%}
    {{ on_route() }} || {{ counted('n', 'call') }} || case when nights_seen > 1 then ' a night' else '' end
    || {{ nights_words() }} || '; about ' || cast(cast(round(exp(expected) - 1) as bigint) as {{ type_string() }}) || ' expected.'
{%- endmacro %}

{#- drift. Columns: route, day, nights_seen, kind_of_value, grid, feature, feature_words, value_now, value_before,
    value_expected (for a share on such a day), is_risen, is_beyond_expected (the day is unusual for its weekday or its
    level, and not only compared with the mean of the window). -#}
{% macro drift_sentence() -%}
    {{ on_route() }} || feature_words
    || case
        when not is_beyond_expected
            then
                case when is_risen then ' rose' else ' fell' end || ' from ' || {{ quantity('value_before') }}
                || ' (' || {{ days_before_words() }} || ') to ' || {{ quantity('value_now') }}
                || {{ nights_words() }} || '.'
        when value_expected is not null
            then
                case when is_risen then ' rose' else ' fell' end || ' to ' || {{ quantity('value_now') }}
                || {{ nights_words() }} || '; ' || {{ quantity('value_expected') }} || ' expected'
                || case when nights_seen > 1 then '' else ' for that day' end
                || ' (' || {{ days_before_words() }} || ': ' || {{ quantity('value_before') }} || ').'
        else
            case when is_risen then ' was higher' else ' was lower' end || ' than expected'
            || case when nights_seen > 1 then {{ nights_words() }} else ' for ' || {{ day_words('day') }} end
            || ': ' || {{ quantity('value_now') }}
            || ' (' || {{ days_before_words() }} || ': ' || {{ quantity('value_before') }} || ').'
    end
{%- endmacro %}

{#- skew. Columns: as for drift, and psi, which compares the distributions of a number. -#}
{% macro skew_sentence() -%}
    {{ on_route() }} || feature_words || ': ' || {{ quantity('value_now') }} || ' on ' || {{ day_words('day') }}
    || ', ' || {{ quantity('value_before') }} || ' in the dev set'
    || case
        when kind_of_value = 'share' then '.'
        else '; the distributions differ (PSI ' || {{ figure('psi') }} || ').'
    end
{%- endmacro %}

{#- topic. Columns: route, day, nights_seen, feature, topic_label, is_added, effect, observed, expected. -#}
{% macro topic_sentence() -%}
    {{ on_route() }}
    || case when is_added and expected < 0.0005 then 'new topic' else 'topic' end
    || ' "' || coalesce(topic_label, feature) || '" '
    || case when effect > 0 then 'rose' else 'fell' end
    || ' to ' || {{ percent('observed') }} || ' of inputs' || {{ nights_words() }} || '; '
    || case when is_added and expected < 0.0005 then 'none' else {{ percent('expected') }} end || ' expected.'
{%- endmacro %}

{#- new_topic. Columns: route, day, n_group, topic_label. -#}
{% macro new_topic_sentence() -%}
    {{ on_route() }}
    || case
        when n_group is null then 'a group of inputs on ' || {{ day_words('day') }} || ' belongs to no known topic'
        else {{ counted('n_group', 'input') }} || ' on ' || {{ day_words('day') }} || ' belong to no known topic'
    end
    || coalesce(': "' || topic_label || '"', '') || '.'
{%- endmacro %}

{#- two_sample. Columns: route, side, day, has_topics, more_topics, fewer_topics. -#}
{% macro two_sample_sentence() -%}
    {{ on_route() }} || 'the overall distribution of ' || side || 's shifted on ' || {{ day_words('day') }}
    || ', compared with the {{ previous_days() }} (two-sample test of their embeddings).'
    || case
        when not has_topics then ''
        when more_topics is null and fewer_topics is null then ' No topic moved by half a percentage point or more.'
        else coalesce(' More inputs are about ' || more_topics || '.', '')
            || coalesce(' Fewer inputs are about ' || fewer_topics || '.', '')
    end
{%- endmacro %}

{#- output_profile. Columns: route, day, nights_seen, moved. -#}
{% macro output_profile_sentence() -%}
    {{ on_route() }} || 'the features of outputs together differ from the {{ previous_days() }}' || {{ nights_words() }}
    || ' (joint test); most of all ' || {{ listed('moved') }} || '.'
{%- endmacro %}

{#- The drift after adjusting for topics. Columns: as for drift, and value_mixed, is_of_mix. -#}
{% macro topic_mix_words() -%}
    case
        when value_mixed is null then ''
        else
            ' Adjusted for topic mix: ' || {{ quantity('value_mixed') }}
            || case
                when is_of_mix then ', so most of the shift is explained by which questions were asked.'
                else ', so the shift is not explained by which questions were asked.'
            end
    end
{%- endmacro %}

{#- What drift coincides with. Columns: cause, is_new, share. -#}
{% macro cause_words() -%}
    case
        when is_new then ' It coincides with ' || cause || ', which is new (' || {{ percent('share') }} || ' of calls).'
        else ' Most of the change comes from ' || cause || ' (' || {{ percent('share') }} || ' of calls).'
    end
{%- endmacro %}

{#- below_minimum. Columns: route, criterion, pass_rate, ci_low, ci_high, n, min_pass_rate. -#}
{% macro below_minimum_sentence() -%}
    {{ on_route() }} || 'outputs pass criterion ' || criterion || ' in ' || {{ percent('pass_rate') }}
    || ' of cases (95 % interval ' || {{ percent('ci_low') }} || ' to ' || {{ percent('ci_high') }}
    || ', ' || {{ counted('n', 'output') }} || '), below the required ' || {{ percent('min_pass_rate') }} || '.'
{%- endmacro %}


{#- Kinds of the pinned model. -#}

{#- pin_changed. Columns: model, is_renamed, served_names, last_served_names, is_unlike, n_prompts, p_value,
    is_refingerprinted. -#}
{% macro pin_changed_sentence() -%}
    'The pinned model ' || model || ' appears to have changed: '
    || case
        when is_renamed
            then 'now served as ' || {{ listed('served_names') }} || ' (was ' || {{ listed('last_served_names') }} || ')'
        else ''
    end
    || case when is_renamed and is_unlike then '; ' else '' end
    || case
        when is_unlike
            then
                'its answers to ' || {{ counted('n_prompts', 'prompt') }} || ' differ from those of earlier nights ('
                || {{ p_words('p_value') }} || ')'
        else ''
    end
    || case when is_refingerprinted then '; its fingerprint changed, too.' else '.' end
{%- endmacro %}

{#- judge_changed. Columns: judge, agreement, agreement_before, unlike, unlike_before, n_items, window_nights, q_value. -#}
{% macro judge_changed_sentence() -%}
    'The judge ' || judge || ' no longer judges as it did: it agrees with people on ' || {{ percent('agreement') }}
    || ', before ' || {{ percent('agreement_before') }} || '; ' || {{ percent('unlike') }}
    || ' of its verdicts differ from its usual ones, before ' || {{ percent('unlike_before') }} || ' ('
    || {{ counted('n_items', 'answer') }}
    || case when window_nights > 1 then ', ' || cast(window_nights as {{ type_string() }}) || ' nights' else '' end
    || '; ' || {{ p_words('p_value') }} || ').'
{%- endmacro %}

{#- pass_rate. Columns: route, model, criterion, pass_rate, ci_low, ci_high, n_examples, min_pass_rate. -#}
{% macro pass_rate_sentence() -%}
    {{ on_route() }} || model || ' passes criterion ' || criterion || ' in ' || {{ percent('pass_rate') }}
    || ' of answers (95 % interval ' || {{ percent('ci_low') }} || ' to ' || {{ percent('ci_high') }}
    || ', ' || {{ counted('n_examples', 'example') }} || '), below the required '
    || {{ percent('min_pass_rate') }} || '.'
{%- endmacro %}

{#- The same for answers without their wrapping. Columns: pass_rate_unwrapped (null where the wrapping does not matter),
    min_pass_rate. -#}
{% macro pass_rate_unwrapped_words() -%}
    case
        when pass_rate_unwrapped is null then ''
        else
            ' {{ unwrapped_answers() }} pass in ' || {{ percent('pass_rate_unwrapped') }}
            || case when pass_rate_unwrapped >= min_pass_rate then ': only the formatting is wrong.' else '.' end
    end
{%- endmacro %}

{#- end_of_life. Columns: model, ends_on, days_left. -#}
{% macro end_of_life_sentence() -%}
    'The pinned model ' || model
    || case
        when days_left > 0
            then
                ' will be shut down by its provider on ' || {{ day_words('ends_on', with_year=true) }}
                || ' (in ' || {{ counted('days_left', 'day') }} || ').'
        else ' was shut down by its provider on ' || {{ day_words('ends_on', with_year=true) }} || '.'
    end
{%- endmacro %}


{#- Kinds of candidates. -#}

{#- worse. Columns: route, candidate, pinned, criterion, is_graded, delta, ci_low, ci_high, n_examples, n_unanswered. -#}
{% macro worse_sentence() -%}
    {{ on_route() }} || {{ passes_less_often() }}
{%- endmacro %}

{#- slice_worse. Columns: as for worse, and slice. -#}
{% macro slice_worse_sentence() -%}
    'On route ' || route || ', slice ' || slice || ', ' || {{ passes_less_often() }}
{%- endmacro %}

{% macro passes_less_often() -%}
    candidate
    || case
        when coalesce(is_graded, false)
            then
                ' has a mean score by criterion ' || criterion || ' that is ' || {{ points('-delta') }}
                || ' points of 100 lower than that of ' || pinned
        else
            ' passes criterion ' || criterion || ' ' || {{ points('-delta') }}
            || ' percentage points less often than ' || pinned
    end
    || ' (95 % interval of the difference: ' || {{ points('ci_low') }} || ' to ' || {{ points('ci_high') }}
    || ', ' || {{ counted('n_examples', 'example') }}
    || case when n_unanswered > 0 then ', ' || cast(n_unanswered as {{ type_string() }}) || ' unanswered' else '' end || ').'
{%- endmacro %}

{#- The same for answers without their wrapping. Columns: delta_unwrapped (null where the wrapping does not matter),
    verdict_unwrapped, is_graded. -#}
{% macro worse_unwrapped_words() -%}
    case
        when delta_unwrapped is null then ''
        else
            ' {{ unwrapped_answers() }} '
            || case
                when coalesce(is_graded, false)
                    then
                        'score ' || {{ points('abs(delta_unwrapped)') }} || ' points of 100 '
                        || case when delta_unwrapped < 0 then 'lower: ' else 'higher: ' end
                else
                    'pass ' || {{ points('abs(delta_unwrapped)') }} || ' percentage points '
                    || case when delta_unwrapped < 0 then 'less' else 'more' end || ' often: '
            end
            || case
                when verdict_unwrapped in ('better', 'not_worse') or delta_unwrapped >= 0
                    then 'only the formatting is worse.'
                when verdict_unwrapped = 'worse' then 'the answers are worse, too.'
                else 'it is not clear whether the answers are worse, too.'
            end
    end
{%- endmacro %}


{#- All kinds. -#}

{#- Since when, from the second night on. Columns: nights, first_seen. -#}
{% macro since_words() -%}
    case
        when nights > 1
            then ' Night ' || cast(nights as {{ type_string() }}) || ', since ' || {{ day_words('first_seen') }} || '.'
        else ''
    end
{%- endmacro %}


{#- Parts of sentences. -#}

{% macro on_route() -%}
    'On route ' || route || ', '
{%- endmacro %}

{% macro previous_days() -%}
    previous {{ var('window_days') }} days
{%- endmacro %}

{#- The reference of drift. Columns: nights_seen. -#}
{% macro days_before_words() -%}
    case
        when nights_seen > 1 then '{{ var('window_days') }} days before'
        else '{{ previous_days() }}'
    end
{%- endmacro %}

{#- " on 4 March", or " over the last 7 nights up to 4 March". Columns: day, nights_seen. -#}
{% macro nights_words() -%}
    case
        when nights_seen > 1
            then ' over the last ' || cast(nights_seen as {{ type_string() }}) || ' nights up to '
        else ' on '
    end || {{ day_words('day') }}
{%- endmacro %}

{% macro unwrapped_answers() -%}
    Without code fences and text around them, answers
{%- endmacro %}

{#- A share after the side: "that are empty"; of a member of a mix "answered by gpt-4o"; of a field "with the field title",
    "whose category is refund" or "whose price is of the type string". -#}
{% macro share_words(feature, seeded) -%}
    {%- set member = member_of(feature, seeded) -%}
    {%- set field = split_part(member, "'='", 1) -%}
    {%- set type = split_part(member, "'='", -1) -%}
    case
        when {{ feature }} = {{ seeded }}.feature then {{ seeded }}.description
        when {{ feature }} like 'field:%:present'
            then
                {{ seeded }}.description || ' '
                || left({{ member }}, {{ length(member) }} - {{ length("':present'") }})
        when {{ seeded }}.feature = 'field:'
            then 'whose ' || {{ field }} || ' is ' || substring({{ member }}, {{ length(field) }} + 2)
        -- A path may have an equals sign, a type has none.
        when {{ seeded }}.feature = 'field_type:'
            then
                'whose ' || left({{ member }}, {{ length(member) }} - {{ length(type) }} - 1)
                || ' is of the type ' || {{ type }}
        else {{ seeded }}.description || ' ' || {{ member }}
    end
{%- endmacro %}

{#- A number with what it is of: "characters per output"; of a field "length of field summary in outputs". -#}
{% macro number_words(feature, side, seeded) -%}
    {%- set unit = 'case ' ~ side ~ " when 'pair' then 'call' else " ~ side ~ ' end' -%}
    'mean ' || {{ seeded }}.description || ' ' || case
        when {{ feature }} = {{ seeded }}.feature then 'per ' || {{ unit }}
        else {{ member_of(feature, seeded) }} || ' in ' || {{ unit }} || 's'
    end
{%- endmacro %}

{#- What follows the prefix that a seed row has as its name. -#}
{% macro member_of(feature, seeded) -%}
    substring({{ feature }}, {{ length(seeded ~ '.feature') }} + 1)
{%- endmacro %}

{#- 1 call, 3 calls. -#}
{% macro counted(number, noun) -%}
    cast({{ number }} as {{ type_string() }}) || case when {{ number }} = 1 then ' {{ noun }}' else ' {{ noun }}s' end
{%- endmacro %}

{#- 4 March, or 4 March 2026. -#}
{% macro day_words(day, with_year=false) -%}
    {%- set months = [
        'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November',
        'December'
    ] -%}
    cast(extract(day from {{ day }}) as {{ type_string() }}) || case extract(month from {{ day }})
    {%- for month in months %} when {{ loop.index }} then ' {{ month }}'{% endfor %} end
    {%- if with_year %} || ' ' || cast(extract(year from {{ day }}) as {{ type_string() }}){% endif %}
{%- endmacro %}

{#- p = 0.004, p < 0.001. -#}
{% macro p_words(p) -%}
    case when {{ p }} < 0.001 then 'p < 0.001' else 'p = ' || {{ figure(p) }} end
{%- endmacro %}

{#- A value of a feature in its unit: a share in percent, a duration, or a number. Columns: kind_of_value, grid,
    feature. -#}
{% macro quantity(value) -%}
    case
        when kind_of_value = 'share' or grid = 'unit' then {{ percent(value) }}
        when right(feature, 3) = '_ms' then {{ duration(value) }}
        when right(feature, 4) = '_usd' then {{ money(value) }}
        else {{ figure(value) }} || case when feature like 'field_length:%' then ' characters' else '' end
    end
{%- endmacro %}

{#- Milliseconds as a person reads them: 85 ms, 0.86 s, 12.5 s. -#}
{% macro duration(value) -%}
    case
        when {{ value }} < 100 then cast(cast({{ value }} as decimal(18, 0)) as {{ type_string() }}) || ' ms'
        when {{ value }} < 10000 then cast(cast({{ value }} / 1000 as decimal(18, 2)) as {{ type_string() }}) || ' s'
        else cast(cast({{ value }} / 1000 as decimal(18, 1)) as {{ type_string() }}) || ' s'
    end
{%- endmacro %}

{#- An amount of money: $2.34, $0.0123, and $0.000012 where it is small. -#}
{% macro money(value) -%}
    '$' || case
        when {{ value }} >= 1 then cast(cast({{ value }} as decimal(18, 2)) as {{ type_string() }})
        when {{ value }} >= 0.01 then cast(cast({{ value }} as decimal(18, 4)) as {{ type_string() }})
        else cast(cast({{ value }} as decimal(18, 6)) as {{ type_string() }})
    end
{%- endmacro %}

{#- A share: 61.0 %, and 0.15 % where it is small. -#}
{% macro percent(share) -%}
    case
        when {{ share }} > 0 and {{ share }} < 0.01
            then cast(cast(100 * {{ share }} as decimal(18, 2)) as {{ type_string() }})
        else cast(cast(100 * {{ share }} as decimal(18, 1)) as {{ type_string() }})
    end || ' %'
{%- endmacro %}

{#- A difference of shares in percentage points: 12.5. -#}
{% macro points(difference) -%}
    cast(cast(100 * ({{ difference }}) as decimal(18, 1)) as {{ type_string() }})
{%- endmacro %}

{#- A number: 210.3, or 0.021 where it is small. -#}
{% macro figure(number) -%}
    case
        when abs({{ number }}) < 1 then cast(cast({{ number }} as decimal(18, 3)) as {{ type_string() }})
        else cast(cast({{ number }} as decimal(18, 1)) as {{ type_string() }})
    end
{%- endmacro %}
