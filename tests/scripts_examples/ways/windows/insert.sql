delete from orders;
insert into orders (id, customer, total)
select id, customer, total from stage_orders;
