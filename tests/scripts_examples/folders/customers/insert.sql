delete from public.customers where id in (select id from stage.customers);
insert into public.customers select * from stage.customers;
delete from stage.customers;
