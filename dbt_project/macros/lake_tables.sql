{#- Tables with a row for each text or call, which are files of the lake by day: flows/transform/lake_tables_plugin.py. -#}

{#- Replaces days as `replace_days` does, in the lake. Rows go from the query to files, and the key is tested on these;
    then they take the places of those of their days in the lake, all at once. The model is a view on the files. -#}
{% materialization days_in_lake, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set columns = get_column_schema_from_query(compiled_code) -%}
    {%- set place = scratch_of(relation) -%}
    {% call statement('main') -%}
        {{ write_rows(compiled_code, place) }}
    {%- endcall %}
    {%- set days = days_written(place) -%}
    {%- if days -%}
        {%- do run_query('create or replace view ' ~ relation ~ ' as ' ~ read_rows(place)) -%}
        {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- endif -%}
    {%- do store_days(relation, columns, place, days, [env_var('GENCHI_FIRST_DAY'), env_var('GENCHI_LAST_DAY')]) -%}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#- Where on this machine a table's rows are written before they are published: to a file of this name and `.parquet`,
    and if they are of several days, from there to a folder of this name. -#}
{% macro scratch_of(relation) -%}
    {{ return(env_var('GENCHI_SCRATCH') ~ '/' ~ relation.identifier) }}
{%- endmacro %}

{#- To one file: DuckDB takes half as long again where it partitions what a query gives, and most builds are of a day.
    In the order of their key, so that a day that is built again has the same bytes. -#}
{% macro write_rows(sql, place) -%}
    copy (
        select * from (
            {{ sql }}
        ) order by day, subject_id, side, origin, route
    ) to {{ text_literal(place ~ '.parquet') }} (format parquet, compression zstd)
{%- endmacro %}

{% macro read_rows(place) -%}
    select * from read_parquet({{ text_literal(place ~ '.parquet') }})
{%- endmacro %}

{% macro days_written(place) -%}
    {%- set found = run_query('select distinct day from (' ~ read_rows(place) ~ ') order by day') -%}
    {{ return(found.columns[0].values() | map('string') | list) }}
{%- endmacro %}

{#- Publishes the days that were written, and lets the relation be a view on all days that the lake has then. -#}
{% macro store_days(relation, columns, place, days, asked) -%}
    {%- if days | length > 1 -%}
        {%- do run_query(
            'copy (' ~ read_rows(place) ~ ') to ' ~ text_literal(place)
            ~ ' (format parquet, compression zstd, partition_by (day), write_partition_columns true, overwrite true)'
        ) -%}
    {%- endif -%}
    {%- set told = {'asked': asked, 'days': days} -%}
    {%- do adapter.store_relation('lake_tables_plugin', relation, columns, place, 'parquet', told) -%}
    {%- do run_query('create or replace view ' ~ relation ~ ' as ' ~ told.rows) -%}
{%- endmacro %}
