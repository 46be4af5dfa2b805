select * from {{ ref('desk_questions_daily') }}
where share_of_calls > 1
