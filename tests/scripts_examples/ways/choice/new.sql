select id, customer, total from orders where id > HAVE
