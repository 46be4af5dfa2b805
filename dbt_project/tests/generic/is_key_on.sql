{#- The columns are never null and no two rows are equal in all of them. `nullable` columns may be null, which counts as
    a value. `of_built_days` tests only the built days, for tables with too many rows to test all days every night.
    A build tests each table that it keeps within its own node: macros/keys.sql. -#}
{% test is_key_on(model, columns, nullable=[], of_built_days=false) %}

select * from ({{ rows_against_key(model, columns, nullable, of_built_days) }}) as against

{% endtest %}
