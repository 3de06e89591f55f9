select id, name from orders
LIMIT 0
