{#- The days of one build, and the window of days before the first of them.

    They come from the environment (YYYY-MM-DD), for they change every night: dbt parses the whole project anew when
    a var has changed, but only the models that use it when a variable of the environment has. -#}

{% macro first_day() -%}
    cast('{{ env_var("GENCHI_FIRST_DAY", "1970-01-02") }}' as date)
{%- endmacro %}

{% macro last_day() -%}
    cast('{{ env_var("GENCHI_LAST_DAY", "1970-01-02") }}' as date)
{%- endmacro %}

{% macro window_start(day) -%}
    cast({{ dateadd('day', '-' ~ var('window_days'), day) }} as date)
{%- endmacro %}

{% macro window_end(day) -%}
    cast({{ dateadd('day', var('window_days'), day) }} as date)
{%- endmacro %}

{% macro day_before(day) -%}
    cast({{ dateadd('day', -1, day) }} as date)
{%- endmacro %}

{#- True for the days that are asked for. -#}
{% macro is_built_day(day='day') -%}
    {{ day }} between {{ first_day() }} and {{ last_day() }}
{%- endmacro %}

{#- True for the days to put into an incremental model: those that are asked for, and those of the window that
    `relation` has and the model has not, so that a new warehouse on an old lake finds its history. The days are
    looked up beforehand and written out, for literals prune files and a subquery does not. With `days_more` the window
    begins so much earlier. A staging model is a step within a build and cannot be asked by itself: its source is. -#}
{% macro is_day_to_build(relation, days_more=0) -%}
    {%- set start = 'cast(' ~ dateadd('day', -1 * ((var('window_days') | int) + days_more), first_day()) ~ ' as date)' -%}
    {%- if not execute or not is_incremental() -%}
        day between {{ start }} and {{ last_day() }}
    {%- else -%}
        {%- set asked = source_of(relation) if relation.is_cte else relation -%}
        {%- set missing = run_query(missing_days(asked, start)).columns[0].values() -%}
        ({{ is_built_day() }}
        {%- for day in missing %} or day = cast('{{ day }}' as date){% endfor %})
    {%- endif -%}
{%- endmacro %}

{#- The source that an ephemeral staging model renames. -#}
{% macro source_of(staging) -%}
    {%- set name = staging.identifier.split('__')[-1] -%}
    {%- set model = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', name) | first -%}
    {%- set table = graph.sources[model.depends_on.nodes | first] -%}
    {{ return(source(table.source_name, table.name)) }}
{%- endmacro %}

{% macro missing_days(relation, start) -%}
    select distinct day
    from {{ relation }}
    where
        day >= {{ start }}
        and day < {{ first_day() }}
        and day not in (select existing.day from {{ this }} as existing)
    order by day
{%- endmacro %}

{#- The incremental strategy of all daily tables: the days that are asked for are replaced, those that have no
    rows any more included, which delete+insert would keep. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }} where {{ is_built_day() }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    (select {{ columns }} from {{ arguments['temp_relation'] }});
    -- Of a model in Python dbt-duckdb makes a lasting table.
    drop table if exists {{ arguments['temp_relation'] }}
{%- endmacro %}
