{#- The columns are never null and no two rows agree in all of them. -#}
{% test is_key_on(model, columns) %}

select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 {% for column in columns %} or {{ column }} is null{% endfor %}

{% endtest %}
