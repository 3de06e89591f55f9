select id as reading_id, value, taken_at from readings where value is not null
