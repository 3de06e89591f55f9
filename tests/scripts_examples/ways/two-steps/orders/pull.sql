select id, customer, total, changed from orders where changed >= :since
