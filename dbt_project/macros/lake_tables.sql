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
        {{ write_days(compiled_code, place) }}
    {%- endcall %}
    {%- set files = text_literal(place ~ '/day=*/*.parquet') -%}
    {%- if run_query('select count(*) from glob(' ~ files ~ ')').columns[0].values()[0] -%}
        {%- do run_query('create or replace view ' ~ relation ~ ' as ' ~ read_days(files)) -%}
        {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- endif -%}
    {%- do store_days(relation, columns, place, [env_var('GENCHI_FIRST_DAY'), env_var('GENCHI_LAST_DAY')]) -%}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{#- The folder of this machine that a table's days are written to before they are published. -#}
{% macro scratch_of(relation) -%}
    {{ return(env_var('GENCHI_SCRATCH') ~ '/' ~ relation.identifier) }}
{%- endmacro %}

{% macro write_days(sql, place) -%}
    copy (
        {{ sql }}
    ) to {{ text_literal(place) }}
    (format parquet, compression zstd, partition_by (day), write_partition_columns true, overwrite true)
{%- endmacro %}

{% macro read_days(files) -%}
    select * from read_parquet({{ files }}, hive_partitioning = true, hive_types = {'day': date})
{%- endmacro %}

{#- Publishes the days that were written, and lets the relation be a view on all days that the lake has then. -#}
{% macro store_days(relation, columns, place, asked) -%}
    {%- set told = {'asked': asked} -%}
    {%- do adapter.store_relation('lake_tables_plugin', relation, columns, place, 'parquet', told) -%}
    {%- do run_query('create or replace view ' ~ relation ~ ' as ' ~ told.rows) -%}
{%- endmacro %}
