{#- The state of an example: whether all, none or some of its scored answers pass; null without a scored answer. -#}
{% macro example_state(passes, repeats) -%}
    case
        when {{ repeats }} = 0 then null
        when {{ passes }} = {{ repeats }} then 'pass'
        when {{ passes }} = 0 then 'fail'
        else 'flaky'
    end
{%- endmacro %}

{#- The columns of int_comparisons that fct_model_comparisons and fct_slice_comparisons share. -#}

{% macro comparison_measures() -%}
    {{ return([
        'severity',
        'delta',
        'ci_low',
        'ci_high',
        'p_value',
        'q_value',
        'margin',
        'minimum_detectable',
        'verdict',
        'n_examples',
        'n_unscored',
        'n_regressed',
        'n_repaired',
        'n_unanswered',
        'ci_low_worst',
        'ci_high_worst',
        'is_graded',
        'open_because',
        'examples_enough',
        'repeats_enough',
    ]) }}
{%- endmacro %}
