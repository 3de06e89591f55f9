select id, name, city from customers
