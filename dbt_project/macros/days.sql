{#- The days of one build, and the window of days before the first of them.

    They come from environment variables (YYYY-MM-DD) because they change every night. When a dbt var changes, dbt
    parses the whole project again; when an environment variable changes, the models that used it while they were parsed.
    So the variables are read only when a model runs. -#}

{% macro first_day() -%}
    cast('{{ env_var("GENCHI_FIRST_DAY", "1970-01-02") if execute else "1970-01-02" }}' as date)
{%- endmacro %}

{% macro last_day() -%}
    cast('{{ env_var("GENCHI_LAST_DAY", "1970-01-02") if execute else "1970-01-02" }}' as date)
{%- endmacro %}

{% macro window_start(day) -%}
    cast({{ dateadd('day', '-' ~ var('window_days'), day) }} as date)
{%- endmacro %}

{% macro window_end(day) -%}
    cast({{ dateadd('day', var('window_days'), day) }} as date)
{%- endmacro %}

{#- The most nights that are tested together: LONGEST of flows/stats/windows.py. -#}
{% macro nights_together() -%}
    {{ return(7) }}
{%- endmacro %}

{% macro day_before(day) -%}
    cast({{ dateadd('day', -1, day) }} as date)
{%- endmacro %}

{#- True for the requested days. -#}
{% macro is_built_day(day='day') -%}
    {{ day }} between {{ first_day() }} and {{ last_day() }}
{%- endmacro %}

{#- True for the days to put into an incremental model: the requested ones, and those of the window that `relation`
    has and the model lacks, so that a new warehouse on an old lake gets its history: the window, and before it the
    nights that are tested together, and `days_more` days more. The days are queried first and written as literals,
    because literals prune files and a subquery does not. A staging model is ephemeral and cannot be queried by itself,
    so its source is queried. -#}
{% macro is_day_to_build(relation, days_more=0) -%}
    {%- set days = (var('window_days') | int) + nights_together() + days_more -%}
    {%- set start = 'cast(' ~ dateadd('day', -1 * days, first_day()) ~ ' as date)' -%}
    {%- if not execute or not adds_days() -%}
        day between {{ start }} and {{ last_day() }}
    {%- else -%}
        {%- set asked = source_of(relation) if relation.is_cte else relation -%}
        {%- set missing = run_query(missing_days(asked, start)).columns[0].values() -%}
        ({{ is_built_day() }}
        {%- for day in missing %} or day = cast('{{ day }}' as date){% endfor %})
    {%- endif -%}
{%- endmacro %}

{#- Whether the model has been built before, and gets days. -#}
{% macro adds_days() -%}
    {{ return(is_incremental() or (
        config.get('materialized') == 'days_in_lake'
        and load_cached_relation(this) is not none
        and not should_full_refresh()
    )) }}
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

{#- The incremental strategy of all daily tables: the requested days are replaced, including days that no longer have
    rows, which delete+insert would keep. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }} where {{ is_built_day() }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    (select {{ columns }} from {{ arguments['temp_relation'] }});
    -- For a Python model dbt-duckdb creates a permanent table.
    drop table if exists {{ arguments['temp_relation'] }}
{%- endmacro %}
