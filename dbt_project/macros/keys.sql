{#- The rows of a table that are against its key: what the test is_key_on looks for. -#}
{% macro rows_against_key(relation, columns, nullable, of_built_days) -%}
    select {{ columns | join(', ') }}
    from {{ relation }}
    where {{ is_built_day() if of_built_days else true }}
    group by {{ columns | join(', ') }}
    having count(*) > 1 {% for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}
{%- endmacro %}

{#- The post-hook of every model that is kept: fails in the node of the model, before its rows are committed, where they
    are against its is_key_on. A node of its own for each test took an eighth of the CPU time of a small build. -#}
{% macro keep_key() -%}
    {%- if execute and config.get('materialized') != 'ephemeral' -%}
    {%- for test in graph.nodes.values() if test.resource_type == 'test' and test.attached_node == model.unique_id
        and test.test_metadata and test.test_metadata.name == 'is_key_on' -%}
    {%- set given = test.test_metadata.kwargs -%}
    select case when count(*) > 0 then {{ raised('the test ' ~ test.name ~ ' failed: two rows have the same key, or one has none') }} end
    from ({{ rows_against_key(this, given.columns, given.get('nullable', []), given.get('of_built_days', false)) }}) as against
    {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- An expression that ends the query with an error. -#}
{% macro raised(words) -%}
    {{ return(adapter.dispatch('raised', 'genchi')(words)) }}
{%- endmacro %}

{% macro default__raised(words) -%}
    error('{{ words }}')
{%- endmacro %}

{% macro spark__raised(words) -%}
    raise_error('{{ words }}')
{%- endmacro %}
