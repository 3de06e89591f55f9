select id, total, day from orders where day >= '%DAY%' -- 100% of it
