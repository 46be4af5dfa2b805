select
    landed.day,
    landed.call_id,
    landed.kind,
    landed.at as given_at,
    landed.value as given_value,
    landed.comment as given_comment,
    landed.edited_output,
    landed.origin
from {{ source('lake', 'feedback') }} as landed
