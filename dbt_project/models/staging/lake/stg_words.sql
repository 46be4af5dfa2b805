select word
from {{ source('lake', 'words') }}
