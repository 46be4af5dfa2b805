{#- The columns are never null and no two rows agree in all of them. Those that are `nullable` may be null, which is a
    value like another. `of_built_days`, where a table has too many rows for all of its days to be looked through every
    night. -#}
{% test is_key_on(model, columns, nullable=[], of_built_days=false) %}

select {{ columns | join(', ') }}
from {{ model }}
where {{ is_built_day() if of_built_days else true }}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns if column not in nullable %} or {{ column }} is null{% endfor %}

{% endtest %}
