{#- The columns are never null and no two rows are equal in all of them. `nullable` columns may be null, which counts as
    a value. `of_built_days` tests only the built days, for tables with too many rows to test all days every night. -#}
{% test is_key_on(model, columns, nullable=[], of_built_days=false) %}

select {{ columns | join(', ') }}
from {{ model }}
where {{ is_built_day() if of_built_days else true }}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}

{% endtest %}
