{#- Measures of difference and their p-values, as SQL expressions. tests/property/test_sql_measures.py compares them
    with NumPy and SciPy. p and q are the shares of one bin in the current texts and in the reference. -#}

{#- One bin's part of the population stability index. A share is raised to at least 0.0001, so that an empty bin
    counts and does not make the index infinite. -#}
{% macro psi_term(p, q) -%}
    (greatest({{ p }}, 0.0001) - greatest({{ q }}, 0.0001))
    * ln(greatest({{ p }}, 0.0001) / greatest({{ q }}, 0.0001))
{%- endmacro %}

{#- One bin's part of the Jensen-Shannon divergence, in bits. The distance is the square root of the sum. -#}
{% macro js_term(p, q) -%}
    (
        case when {{ p }} > 0 then 0.5 * {{ p }} * {{ binary_log('2 * ' ~ p ~ ' / (' ~ p ~ ' + ' ~ q ~ ')') }} else 0 end
        + case when {{ q }} > 0 then 0.5 * {{ q }} * {{ binary_log('2 * ' ~ q ~ ' / (' ~ p ~ ' + ' ~ q ~ ')') }} else 0 end
    )
{%- endmacro %}

{#- erfc(x) for x >= 0, relative error below 1.2e-7 (Numerical Recipes in C, 2nd edition, section 6.2, erfcc). -#}
{% macro erfc(x) -%}
    {%- set t = '(1 / (1 + 0.5 * ' ~ x ~ '))' -%}
    {%- set coefficients = [
        1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223
    ] -%}
    {{ t }} * exp(-{{ x }} * {{ x }} - 1.26551223
    {%- for coefficient in coefficients %} + {{ t }} * ({{ coefficient }}{% endfor %} + {{ t }} * 0.17087277
    {%- for coefficient in coefficients %}){% endfor %})
{%- endmacro %}

{#- The probability of a standard normal value at least as far from 0 as z is. -#}
{% macro normal_two_sided(z) -%}
    {{ erfc('(abs(' ~ z ~ ') / sqrt(2))') }}
{%- endmacro %}

{#- The z of two shares with a pooled variance; 0 where all values are the same, null where one side is empty. -#}
{% macro two_proportion_z(share, n, share_reference, n_reference) -%}
    {%- set pooled -%}
        (({{ share }} * {{ n }} + {{ share_reference }} * {{ n_reference }}) / ({{ n }} + {{ n_reference }}))
    {%- endset -%}
    case
        when {{ n }} = 0 or {{ n_reference }} = 0 then null
        when {{ pooled }} <= 0 or {{ pooled }} >= 1 then 0
        else
            ({{ share }} - {{ share_reference }})
            / sqrt({{ pooled }} * (1 - {{ pooled }}) * (1 / cast({{ n }} as double) + 1 / cast({{ n_reference }} as double)))
    end
{%- endmacro %}

{#- One end (`sign` is - or +) of the 95 % score interval of a share of n (Wilson 1927, JASA 22:209); null where n is 0. -#}
{% macro wilson(share, n, sign) -%}
    {%- set z = 1.959963984540054 -%}
    case
        when {{ n }} = 0 then null
        else
            greatest(0.0, least(1.0, (
                {{ share }} + {{ z * z / 2 }} / {{ n }}
                {{ sign }} {{ z }} * sqrt({{ share }} * (1 - {{ share }}) / {{ n }} + {{ z * z / 4 }} / ({{ n }} * {{ n }}))
            ) / (1 + {{ z * z }} / {{ n }})))
    end
{%- endmacro %}

{#- The scaled Kolmogorov-Smirnov statistic (Stephens 1970); null where one side is empty. -#}
{% macro ks_lambda(ks, n, n_reference) -%}
    {%- set root -%} sqrt(cast({{ n }} as double) * {{ n_reference }} / ({{ n }} + {{ n_reference }})) {%- endset -%}
    case
        when {{ n }} > 0 and {{ n_reference }} > 0 then ({{ root }} + 0.12 + 0.11 / {{ root }}) * {{ ks }}
    end
{%- endmacro %}

{#- The probability of a Kolmogorov value above x: the alternating series from 1.18 on, its theta transform below,
    four terms each (Numerical Recipes, 3rd edition, section 6.14.12). -#}
{% macro kolmogorov_tail(x) -%}
    case
        when {{ x }} < 0.05 then 1.0
        when {{ x }} < 1.18
            then
                1 - sqrt(2 * pi()) / {{ x }} * (
                    {%- for odd in [1, 3, 5, 7] %}
                    {{ '+ ' if not loop.first }}exp(-{{ odd * odd }} * pi() * pi() / (8 * {{ x }} * {{ x }}))
                    {%- endfor %}
                )
        else
            2 * (
                {%- for j in [1, 2, 3, 4] %}
                {{ '+ ' if j % 2 else '- ' }}exp(-{{ 2 * j * j }} * {{ x }} * {{ x }})
                {%- endfor %}
            )
    end
{%- endmacro %}

{#- The p-value adjusted for the false discovery rate (Benjamini and Hochberg 1995). `rank` is the row's rank by p
    in its family (a list of columns), nulls last, and `size` the number of p that are not null there. A row whose p
    is null is not counted. -#}
{% macro benjamini_hochberg(p, rank, size, family) -%}
    min(case when {{ p }} is not null then least(1.0, {{ p }} * {{ size }} / {{ rank }}) end) over (
        partition by {{ family | join(', ') }}
        order by {{ rank }} desc
        rows between unbounded preceding and current row
    )
{%- endmacro %}

{#- The logarithm to base 2: exact for powers of 2, which are edges of bins. -#}
{% macro binary_log(x) -%}
    {{ adapter.dispatch('binary_log')(x) }}
{%- endmacro %}

{% macro duckdb__binary_log(x) -%}
    log2({{ x }})
{%- endmacro %}

{#- The quantile of a group's values at this share, interpolated between neighbours; nulls are ignored. -#}
{% macro percentile(value, share) -%}
    {{ adapter.dispatch('percentile')(value, share) }}
{%- endmacro %}

{% macro duckdb__percentile(value, share) -%}
    percentile_cont({{ share }}) within group (order by {{ value }})
{%- endmacro %}

{#- The sum of the rows so far, and the value of the next row, of a subquery that is sorted by `keys` (a list of
    columns) and `order`. The sums continue from one group of `keys` to the next. If every group sums to 0, an engine
    may restart the sum in each group, with no next row after a group's last. DuckDB keeps the order of the subquery,
    and passes over the rows once instead of sorting them again. -#}
{% macro running_sum(value, keys, order) -%}
    {{ adapter.dispatch('running_sum')(value, keys, order) }}
{%- endmacro %}

{% macro duckdb__running_sum(value, keys, order) -%}
    sum({{ value }}) over (rows unbounded preceding)
{%- endmacro %}

{% macro next_value(value, keys, order) -%}
    {{ adapter.dispatch('next_value')(value, keys, order) }}
{%- endmacro %}

{% macro duckdb__next_value(value, keys, order) -%}
    lead({{ value }}) over ()
{%- endmacro %}

{#- The cell of a value; any non-decreasing function of the value is correct. A few thousand cells per column are few
    enough for grouping, and so many that most of them hold less than the difference of the samples. -#}
{% macro cell_of(value) -%}
    floor(8192 * {{ binary_log('1 + greatest(' ~ value ~ ', 0)') }})
{%- endmacro %}

{#- The cells of each series of `relation`, whose rows are a value with its counts in the current and in the reference
    sample, with the columns that exact_distances needs. -#}
{% macro value_cells(relation, series) -%}
    select
        {{ series | join(', ') }},
        {{ cell_of('value') }} as cell,
        min(value) as lowest,
        max(value) as highest,
        cast(sum(n_current) as double) as n_current,
        cast(sum(n_reference) as double) as n_reference,
        {{ exact_sum('n_current * value') }} as total_current,
        {{ exact_sum('n_reference * value') }} as total_reference
    from {{ relation }}
    group by {{ series | join(', ') }}, {{ cell_of('value') }}
{%- endmacro %}

{#- The exact distances of two samples in each series of `relation` (rows as for value_cells, which made `cells`): a
    query that returns the series, ks and wasserstein, null where one sample is empty.

    A cell is closed where its sums are sufficient: it has one value, or the two distribution functions do not cross in
    it. Then the area between them is a difference of sums, and their largest distance is at the end of some cell. Only
    the values of open cells are sorted. -#}
{% macro exact_distances(relation, cells, series) -%}
    {%- set keys = series | join(', ') -%}
    with weighed_cells as (
        select
            *,
            sum(n_current) over (partition by {{ keys }}) as all_current,
            sum(n_reference) over (partition by {{ keys }}) as all_reference,
            coalesce(lead(lowest) over (partition by {{ keys }} order by cell), highest) as next_lowest
        from {{ cells }}
    ),

    -- In whole numbers, so that each series ends at exactly 0 and the next one can follow it in the same pass.
    edges as (
        select
            *,
            n_current * all_reference as rise,
            n_reference * all_current as fall,
            total_current * all_reference - total_reference * all_current as moment,
            nullif(all_current * all_reference, 0) as scale,
            sum(n_current * all_reference - n_reference * all_current) over (
                partition by {{ keys }} order by cell rows between unbounded preceding and current row
            ) as difference_after
        from weighed_cells
    ),

    bounded as (
        select
            *,
            difference_after - rise + fall as difference_before,
            max(abs(difference_after)) over (partition by {{ keys }}) as largest_at_edges
        from edges
    ),

    judged as (
        select
            *,
            lowest < highest and (
                (difference_before < fall and difference_before > -rise)
                or difference_before + rise > largest_at_edges
                or difference_before - fall < -largest_at_edges
            ) as is_open,
            case
                when lowest = highest then abs(difference_after) * (next_lowest - lowest)
                else abs(difference_before * (next_lowest - lowest) + (rise - fall) * next_lowest - moment)
            end / scale as area
        from bounded
    ),

    in_order as (
        select
            {{ keys }},
            lowest as value,
            rise - fall as weight,
            area,
            scale
        from judged
        where not is_open
        union all
        select
            {{ keys }},
            value,
            samples.n_current * all_reference - samples.n_reference * all_current as weight,
            cast(null as double) as area,
            scale
        from {{ relation }} as samples
        inner join judged using ({{ keys }})
        where is_open and {{ cell_of('value') }} = cell
        order by {{ keys }}, value
    ),

    steps as (
        select
            *,
            abs({{ running_sum('weight', series, 'value') }}) / scale as distance,
            {{ next_value('value', series, 'value') }} as next_value
        from in_order
    )

    select
        {{ keys }},
        -- Between equal values there is no distance, whatever the sum so far.
        max(case when next_value is distinct from value then distance else 0 * distance end) as ks,
        {{ exact_sum('coalesce(area, distance * (next_value - value))', 15) }} as wasserstein
    from steps
    group by {{ keys }}
{%- endmacro %}
