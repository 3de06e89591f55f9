create table stage.customers (id integer, name text, city text);
create table public.customers (id integer primary key, full_name text, city text);
