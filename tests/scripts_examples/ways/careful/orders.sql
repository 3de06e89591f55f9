select id, customer, total from orders
