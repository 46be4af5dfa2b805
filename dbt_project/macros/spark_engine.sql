{#- Lists, statistics and dates in the dialect of Spark, and what of dbt-spark is not as genchi needs it. -#}

{% macro spark__gathered(value, order) -%}
    transform(
        array_sort(collect_list(named_struct('place', {{ order }}, 'value', {{ value }}))),
        one -> one.value
    )
{%- endmacro %}

{% macro spark__is_filled(list) -%}
    array_size({{ list }}) > 0
{%- endmacro %}

{% macro spark__has_all(list, part) -%}
    array_size(array_except({{ part }}, {{ list }})) = 0
{%- endmacro %}

{% macro spark__listed(list) -%}
    array_join({{ list }}, ', ')
{%- endmacro %}

{% macro spark__turned(relation, keys, names, features) -%}
    select
        {{ keys | join(', ') }},
        inline(array(
            {%- for entry in features %}
            named_struct('feature', '{{ entry.name }}'
            {%- for name in names %}
            {%- set summed = 'total' if name == 'total_squares' and entry.grid == 'flag' else name -%}
            , '{{ name }}', {{ summed }}__{{ entry.name }}
            {%- endfor %})
            {{- ',' if not loop.last }}
            {%- endfor %}
        ))
    from {{ relation }}
{%- endmacro %}

{#- Exact for powers of 2 up to 2 ** 28, and never too small for those above. -#}
{% macro spark__binary_log(x) -%}
    log2({{ x }})
{%- endmacro %}

{% macro spark__percentile(value, share) -%}
    percentile({{ value }}, {{ share }})
{%- endmacro %}

{% macro spark__running_sum(value, keys, order) -%}
    sum({{ value }}) over (partition by {{ keys | join(', ') }} order by {{ order }} rows unbounded preceding)
{%- endmacro %}

{% macro spark__next_value(value, keys, order) -%}
    lead({{ value }}) over (partition by {{ keys | join(', ') }} order by {{ order }})
{%- endmacro %}

{#- dbt-spark's own drops the part of a second, and stops Spark from reading only the days that are asked for. -#}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- if datepart == 'day' -%}
        {{ from_date_or_timestamp }} + make_interval(0, 0, 0, cast({{ interval }} as int))
    {%- elif datepart == 'minute' -%}
        {{ from_date_or_timestamp }} + make_interval(0, 0, 0, 0, 0, cast({{ interval }} as int))
    {%- else -%}
        {{ exceptions.raise_compiler_error('dateadd of a ' ~ datepart ~ ' is not written for Spark') }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__datediff(first_date, second_date, datepart) -%}
    {%- if datepart != 'day' -%}
        {{ exceptions.raise_compiler_error('datediff in ' ~ datepart ~ 's is not written for Spark') }}
    {%- endif -%}
    cast(datediff({{ second_date }}, {{ first_date }}) as bigint)
{%- endmacro %}

{% macro spark__split_part(string_text, delimiter_text, part_number) -%}
    split_part({{ string_text }}, {{ delimiter_text }}, {{ part_number }})
{%- endmacro %}

{#- Daily tables are partitions of a day, in Parquet unless a model says otherwise. -#}
{% macro spark__partition_cols(label, required=false) -%}
    {%- set columns = config.get('partition_by') or ('day' if config.get('incremental_strategy') == 'replace_days') -%}
    {%- if columns %}
        {{ label }} ({{ columns if columns is string else columns | join(', ') }})
    {%- endif -%}
{%- endmacro %}

{% macro spark__file_format_clause() -%}
    using {{ config.get('file_format') or 'parquet' }}
{%- endmacro %}

{#- dbt-spark's own writes an empty text where a seed has no value. -#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set sql -%}
        insert into {{ this.render() }} values
        {% for row in agate_table.rows -%}
            ({%- for name in agate_table.column_names -%}
                {%- set value = row[name] -%}
                cast({{ 'null' if value is none else spark__text_literal(value | string) }} as
                {{ types.get(name) or adapter.convert_type(agate_table, loop.index0) }})
                {{- ', ' if not loop.last }}
            {%- endfor -%})
            {{- ',' if not loop.last }}
        {% endfor %}
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{%- endmacro %}

{#- Tables of Parquet have no constraints; the tests of a build look for what they would refuse. -#}
{% macro spark__persist_constraints(relation, model) -%}
    {%- if config.get('file_format') == 'delta' -%} {{ dbt.spark__persist_constraints(relation, model) }} {%- endif -%}
{%- endmacro %}

{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) -%}
    {{ return(raw_strategy) }}
{%- endmacro %}

{#- replace_days. Spark overwrites the partitions of the days that have rows; days that are asked for and have none any
    more keep theirs. So the files of the asked days are noted first, and a day that still has one afterwards is dropped.
    A model that adds rows to days which were built before says so by `adds_to_built_days`: these are appended. -#}
{% macro dbt_spark_get_incremental_sql(strategy, source, target, existing, unique_key, incremental_predicates) -%}
    {%- if strategy != 'replace_days' -%}
        {{ exceptions.raise_compiler_error('the incremental strategy ' ~ strategy ~ ' is not known; use replace_days') }}
    {%- endif -%}
    {%- set columns = adapter.get_columns_in_relation(target) | map(attribute='quoted') | join(', ') -%}
    {%- set files -%}
        select distinct cast(day as string) as day, _metadata.file_path as place from {{ target }} where {{ is_built_day() }}
    {%- endset -%}
    {%- set before = run_query(files).columns['place'].values() | list -%}
    {%- set added = [] -%}
    {%- if config.get('meta', {}).get('adds_to_built_days') -%}
        {%- set others = 'select distinct cast(day as string) as day from ' ~ target ~ ' where not (' ~ is_built_day() ~ ')' -%}
        {%- for day in run_query(others).columns['day'].values() -%} {%- do added.append("date '" ~ day ~ "'") -%} {%- endfor -%}
    {%- endif -%}
    {%- set rows = 'select ' ~ columns ~ ' from ' ~ source -%}
    {%- set is_added = 'day in (' ~ added | join(', ') ~ ')' if added else 'false' -%}
    {%- do run_query('insert overwrite table ' ~ target ~ ' partition (day) ' ~ rows ~ ' where not (' ~ is_added ~ ')') -%}
    {%- if added -%}
        {%- do run_query('insert into ' ~ target ~ ' (' ~ columns ~ ') ' ~ rows ~ ' where ' ~ is_added) -%}
    {%- endif -%}
    {%- set stale = [] -%}
    {%- for row in run_query(files) if before and row['place'] in before and row['day'] not in stale -%}
        {%- do stale.append(row['day']) -%}
    {%- endfor -%}
    {%- if stale -%}
        alter table {{ target }} drop if exists
        {%- for day in stale %} partition (day = date '{{ day }}'){{ ',' if not loop.last }}{% endfor %}
    {%- else -%}
        select 1 as done
    {%- endif -%}
{%- endmacro %}

{#- A Python model runs in genchi's own process (flows/transform/spark_models.py). -#}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
{%- if language == 'python' -%}
{{ compiled_code }}
write_table(model(dbtObj(read_table), None), '{{ relation }}')
{%- else -%}
    {{ dbt.spark__create_table_as(temporary, relation, compiled_code, language) }}
{%- endif -%}
{%- endmacro %}

{#- The tables of the lake, as views on its files; columns that older files lack are null. A catalogue has the warehouse
    of one lake: the comment of the schema says of which. -#}
{% macro open_lake() -%}
    {%- if target.type == 'spark' and execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'test'] -%}
        {%- do run_query('create schema if not exists lake comment ' ~ text_literal(env_var('GENCHI_LAKE', 'lake'))) -%}
        {%- for row in run_query('describe schema lake').rows if row[0] == 'Comment' and row[1] not in ['', env_var('GENCHI_LAKE', 'lake')] -%}
            {{ exceptions.raise_compiler_error(
                'the catalogue of this Spark server has the warehouse of the lake ' ~ row[1] ~ '; name a server, or a'
                ~ ' default catalogue, of its own, or, if the lake has moved, run `drop schema lake cascade` on Spark'
            ) }}
        {%- endfor -%}
        {%- for node in graph.sources.values() if node.source_name == 'lake' -%}
            {%- set of_lake = env_var('GENCHI_LAKE', 'lake') ~ '/' ~ node.name -%}
            {%- set place = env_var('GENCHI_WORDS', '') if node.name == 'words' else of_lake -%}
            {%- do run_query('create or replace view lake.' ~ node.name ~ ' as select * from parquet.`' ~ place ~ '`') -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
