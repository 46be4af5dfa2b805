{#- The number of rows of a group that meet a condition; a null condition is not met. -#}
{% macro count_if(condition) -%}
    cast(count(case when {{ condition }} then 1 end) as bigint)
{%- endmacro %}

{#- A sum of fractions that does not depend on the order of rows: the same rows give the same result bit for bit. -#}
{% macro exact_sum(value, scale=12) -%}
    cast(sum(cast({{ value }} as decimal(38, {{ scale }}))) as double)
{%- endmacro %}
