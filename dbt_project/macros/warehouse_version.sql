{#- The version of the warehouse, and the steps that bring an older one up to date before a build.

    A step must be repeatable and must not lose data of a mart: marts are kept longer than the rows of the lake that
    they were computed from. A warehouse with marts and without a version has version 1. Add a step as
    `migrate_warehouse_to_<n>` and raise `newest_warehouse_version`. -#}

{% macro newest_warehouse_version() -%}
    {{ return(5) }}
{%- endmacro %}

{% macro version_relation() -%}
    {{ return(api.Relation.create(
        database=warehouse_database(), schema='meta', identifier='warehouse_version', type='table'
    )) }}
{%- endmacro %}

{#- DuckDB names the database of a relation, Spark has none. -#}
{% macro warehouse_database() -%}
    {{ return(target.database if target.type == 'duckdb' else none) }}
{%- endmacro %}

{#- Runs at the start of every command that writes the warehouse. -#}
{% macro migrate_warehouse() -%}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] -%}
        {%- set newest = newest_warehouse_version() -%}
        {%- set found = warehouse_version() -%}
        {%- if found > newest -%}
            {{ exceptions.raise_compiler_error(
                'the warehouse has version ' ~ found ~ ', this genchi reads up to version ' ~ newest
                ~ '; install the genchi that wrote it, or a later one'
            ) }}
        {%- endif -%}
        {%- for version in range(found + 1, newest + 1) -%}
            {%- do context['migrate_warehouse_to_' ~ version]() -%}
        {%- endfor -%}
        {%- if load_relation(version_relation()) is none or found < newest -%}
            {%- do adapter.create_schema(version_relation()) -%}
            {%- do adapter.drop_relation(version_relation()) -%}
            {%- do run_query(create_table_as(false, version_relation(), 'select ' ~ newest ~ ' as version')) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- The version of the warehouse before this command; a new warehouse has the newest one. -#}
{% macro warehouse_version() -%}
    {%- if load_relation(version_relation()) is not none -%}
        {{ return(run_query('select version from ' ~ version_relation()).columns[0].values()[0] | int) }}
    {%- endif -%}
    {{ return(1 if relations_of('marts') else newest_warehouse_version()) }}
{%- endmacro %}

{#- The names of the relations in a schema. -#}
{% macro relations_of(schema) -%}
    {{ return(adapter.dispatch('relations_of')(schema)) }}
{%- endmacro %}

{% macro duckdb__relations_of(schema) -%}
    {%- set place = api.Relation.create(database=target.database, schema=schema) -%}
    {{ return(list_relations_without_caching(place).columns['name'].values() | list) }}
{%- endmacro %}

{#- Spark's warehouses have begun with version 4. -#}
{% macro spark__relations_of(schema) -%}
    {{ return([]) }}
{%- endmacro %}

{#- Version 2: intermediate models have new names, and relations with the old names are dropped. All their rows can be
    computed from the lake; marts are not changed. -#}
{% macro migrate_warehouse_to_2() -%}
    {%- set known = graph.nodes.values() | selectattr('schema', 'eq', 'intermediate') | map(attribute='alias') | list -%}
    {%- for name in relations_of('intermediate') if name not in known -%}
        {%- set relation = adapter.get_relation(warehouse_database(), 'intermediate', name) -%}
        {%- do log('dropping ' ~ relation ~ ', which no model builds any more') -%}
        {%- do adapter.drop_relation(relation) -%}
    {%- endfor -%}
{%- endmacro %}

{#- Version 3: seeds have new columns. A seed that is there keeps its columns, so all are dropped and loaded again. -#}
{% macro migrate_warehouse_to_3() -%}
    {%- for name in relations_of('seeds') -%}
        {%- do adapter.drop_relation(adapter.get_relation(warehouse_database(), 'seeds', name)) -%}
    {%- endfor -%}
{%- endmacro %}

{#- Version 4: counts of topics are kept by topic and version of the catalogue. Until now there was one version of each. -#}
{% macro migrate_warehouse_to_4() -%}
    {%- for name in ['int_topic_counts_daily', 'int_series_topics_daily'] -%}
        {%- set relation = adapter.get_relation(warehouse_database(), 'intermediate', name) -%}
        {%- if relation and 'topic_id' in adapter.get_columns_in_relation(relation) | map(attribute='name') -%}
            {%- do run_query('alter table ' ~ relation ~ ' rename column topic_id to topic_series') -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- Version 5: tables as large as the texts are files of the lake (lake_tables.sql). -#}
{% macro migrate_warehouse_to_5() -%}
    {%- for name in relations_of('intermediate') if name in ['int_text_features', 'int_pair_features'] -%}
        {%- set old = adapter.get_relation(warehouse_database(), 'intermediate', name) -%}
        {%- set new = api.Relation.create(database='lake', schema='intermediate', identifier=name, type='view') -%}
        {%- do log('moving ' ~ old ~ ' to the lake') -%}
        {%- do run_query(write_rows('select * from ' ~ old, scratch_of(new))) -%}
        {%- do adapter.create_schema(new) -%}
        {%- do store_days(new, adapter.get_columns_in_relation(old), scratch_of(new), days_written(scratch_of(new)), []) -%}
        {%- do adapter.cache_added(new) -%}
        {%- do adapter.commit() -%} {#- a transaction may write to one database only -#}
        {%- do adapter.drop_relation(old) -%}
    {%- endfor -%}
{%- endmacro %}
