select id, name from orders
