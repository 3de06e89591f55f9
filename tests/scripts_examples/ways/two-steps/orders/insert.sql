delete from orders where id in (select id from stage_orders);
insert into orders (id, customer, total, changed) select id, customer, total, changed from stage_orders;
delete from stage_orders;
update loads set n = n + 1 where name = 'orders';
