{#- Of which project and variables all of the warehouse was built (flows/transform/built_before.py). -#}

{% macro built_from() -%}
    {{ return(api.Relation.create(
        database=warehouse_database(), schema='meta', identifier='built_from', type='table'
    )) }}
{%- endmacro %}

{#- At the start of every command that writes the warehouse: what was built of another project is forgotten. -#}
{% macro forget_other_project() -%}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] and load_relation(built_from()) is not none -%}
        {%- set found = run_query('select project from ' ~ built_from()).columns[0].values() | list -%}
        {%- if found != [env_var('GENCHI_PROJECT', '')] -%}
            {%- do adapter.drop_relation(built_from()) -%}
            {%- do adapter.create_schema(built_from()) -%} {#- which commits: dbt rolls back what a hook left open -#}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- At the end of a whole build in which nothing failed. -#}
{% macro note_project(results) -%}
    {%- set project = env_var('GENCHI_PROJECT', '') if execute and env_var('GENCHI_WHOLE', '') else '' -%}
    {%- set failed = results | rejectattr('status', 'in', ['success', 'pass', 'no-op', 'warn']) | list -%}
    {%- if project and not failed -%}
        {%- do adapter.create_schema(built_from()) -%}
        {%- do adapter.drop_relation(built_from()) -%}
        {%- set row = "select '" ~ project ~ "' as project, " ~ newest_warehouse_version() ~ ' as version' -%}
        {%- do run_query(create_table_as(false, built_from(), row)) -%}
    {%- endif -%}
{%- endmacro %}
