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
        'examples_enough',
        'repeats_enough',
    ]) }}
{%- endmacro %}
