{{ config(materialized='table') }}

{#- Labels of earlier days are repeated after a criterion has changed: how many come out otherwise. -#}

with noted as (
    select * from {{ ref('stg_criteria') }}
),

of_days as (
    select
        *,
        row_number() over (partition by day, route, criterion order by since desc) as place
    from noted
),

versions as (
    select
        day,
        route,
        criterion,
        criterion_version,
        author,
        reason,
        since,
        lead(since) over (partition by route, criterion, criterion_version order by day) as until_again,
        lag(criterion_version) over (partition by route, criterion order by day) as preceding_version
    from of_days
    where place = 1
),

given as (
    select * from {{ ref('stg_annotations') }}
),

labels as (
    select given.*
    from given
    where
        given.passed is not null
        and given.retracts is null
        and not exists (
            select 1 from given as taken
            where given.label_id = taken.retracts
        )
),

repeated as (
    select
        versions.day,
        versions.route,
        versions.criterion,
        again.subject_id,
        again.passed as is_passed,
        earlier.passed as was_passed,
        row_number() over (
            partition by versions.day, versions.route, versions.criterion, again.subject_id
            order by again.at desc, earlier.at desc, again.label_id asc, earlier.label_id asc
        ) as place
    from versions
    inner join labels as again
        on
            versions.route = again.route
            and versions.criterion = again.criterion
            and versions.criterion_version = again.criterion_version
            and again.draw = 'relabel'
            -- A criterion may go back to an older version, whose labels of the first time are no repetition.
            and versions.since <= again.at
            and (versions.until_again is null or versions.until_again > again.at)
    inner join labels as earlier
        on
            again.route = earlier.route
            and again.criterion = earlier.criterion
            and again.subject_id = earlier.subject_id
            and again.at > earlier.at
            and again.criterion_version <> coalesce(earlier.criterion_version, '')
),

counted as (
    select
        day,
        route,
        criterion,
        count(*) as n_relabelled,
        {{ count_if('is_passed <> was_passed') }} / cast(count(*) as double) as flip_rate
    from repeated
    where place = 1
    group by day, route, criterion
),

joined as (
    select
        versions.*,
        counted.flip_rate,
        coalesce(counted.n_relabelled, 0) as n_relabelled
    from versions
    left join counted
        on
            versions.day = counted.day
            and versions.route = counted.route
            and versions.criterion = counted.criterion
    where versions.preceding_version <> versions.criterion_version
)

select
    day,
    route,
    criterion,
    criterion_version,
    preceding_version,
    cast(n_relabelled as bigint) as n_relabelled,
    cast(flip_rate as double) as flip_rate,
    case when n_relabelled > 0 then {{ wilson('flip_rate', 'n_relabelled', '-') }} end as ci_low,
    case when n_relabelled > 0 then {{ wilson('flip_rate', 'n_relabelled', '+') }} end as ci_high,
    author,
    reason
from joined
